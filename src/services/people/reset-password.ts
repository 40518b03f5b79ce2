import { asIdentity } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { hashNewPassword } from './password-rules.ts';
import { findPersonByEmail, replacePassword } from './person.ts';

/** Sets somebody's password from the command line and ends all their sessions. Throws `not_found` and `invalid_request`. */
export async function resetPassword(email: string, new_password: string): Promise<void> {
  const hash = await hashNewPassword(new_password, email, 'new_password');
  await asIdentity(async (tx) => {
    const person = await findPersonByEmail(tx, email);
    if (person === null) throw new AppError('not_found', 'Nobody here has this e-mail');
    await replacePassword(tx, person.id, hash);
  });
}
