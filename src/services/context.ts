/** Who asks: every verb that a person calls takes one. Made by `http/authenticate.ts` alone. */
export interface Context {
  user_id: string;
  role: 'administrator' | 'user';
}
