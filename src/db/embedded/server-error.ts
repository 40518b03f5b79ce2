/** Why the embedded database server could not do what was asked; each has a cure that a person can carry out. */
export type ServerErrorCode =
  | 'binaries_missing'
  | 'binaries_broken'
  | 'account_missing'
  | 'unreachable_folder'
  | 'wrong_owner'
  | 'wrong_major'
  | 'not_a_server_folder'
  | 'shared_folder'
  | 'port_taken'
  | 'disk_full'
  | 'start_failed'
  | 'password_refused'
  | 'stop_failed';

/** An error for the terminal: it may name host paths, so it never travels to an API caller. `message` ends with the cure. */
export class ServerError extends Error {
  readonly code: ServerErrorCode;
  readonly cure: string;

  constructor(code: ServerErrorCode, what: string, cure: string, options?: ErrorOptions) {
    super(`${what} ${cure}`, options);
    this.name = 'ServerError';
    this.code = code;
    this.cure = cure;
  }
}
