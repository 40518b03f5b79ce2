/** What ends a command: a sentence for the person at the terminal, with the way out. Printed without a stack. */
export class CommandError extends Error {
  readonly exit_code: number;

  constructor(message: string, exit_code = 1) {
    super(message);
    this.name = 'CommandError';
    this.exit_code = exit_code;
  }
}
