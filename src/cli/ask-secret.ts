import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError } from './command-error.ts';

/** Asks for a secret at the terminal without showing what is typed, or reads it as a line from a pipe. Throws at the end of the input. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  // readline echoes to its output: this one shows nothing.
  const nowhere = new Writable({ write: (_, __, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: process.stdin.isTTY === true });
  const ended = new Promise<never>((_, reject) => {
    terminal.once('close', () =>
      reject(new CommandError('\nNothing was typed: run the command in a terminal, or pipe one line into it.')),
    );
  });
  try {
    const answer = await Promise.race([terminal.question(''), ended]);
    return answer.trim();
  } finally {
    ended.catch(() => undefined);
    terminal.close();
    process.stderr.write('\n');
  }
}
