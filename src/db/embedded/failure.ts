import { ServerError } from './server-error.ts';

const KNOWN: { says: RegExp; code: ServerError['code']; what: string; cure: string }[] = [
  // The kernel's limit on shared memory uses the disk's words; it is told apart first.
  {
    says: /could not (create|map|resize) .*shared memory.*/i,
    code: 'start_failed',
    what: 'The database server got no shared memory.',
    cure: 'Give the machine or container more (docker: --shm-size=256m).',
  },
  {
    says: /No space left on device|ENOSPC/i,
    code: 'disk_full',
    what: 'The disk of the database is full.',
    cure: 'Free some space there, then start again; nothing that was stored is lost.',
  },
  {
    says: /could not bind IPv4 address|Address already in use/i,
    code: 'port_taken',
    what: 'The port of the database is taken by another program.',
    cure: 'Stop that program, or leave the port to us.',
  },
  {
    says: /database files are incompatible with server/i,
    code: 'wrong_major',
    what: 'The database was made by another version of PostgreSQL.',
    cure: 'Run it with that version, or restore a backup into a new data folder.',
  },
  {
    says: /has wrong ownership|has invalid permissions|Permission denied/i,
    code: 'wrong_owner',
    what: 'The database server may not use its own folder.',
    cure: 'Give the folder back to the account that the server runs as, mode 700.',
  },
  {
    says: /error while loading shared libraries/i,
    code: 'binaries_broken',
    what: 'The PostgreSQL server lacks its libraries.',
    cure: 'Remove node_modules and run the command again.',
  },
];

/** The last lines of `text`, for a person. */
function lastLines(text: string, count = 8): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** Names the cause that the server's own words give away; `start_failed` with its last lines otherwise. */
export function explainFailure(what: string, words: string): ServerError {
  for (const known of KNOWN) {
    const said = words.split('\n').find((line) => known.says.test(line));
    if (said !== undefined) return new ServerError(known.code, `${known.what} It said: ${said.trim()}.`, known.cure);
  }
  return new ServerError(
    'start_failed',
    `${what}. Its last lines:\n${lastLines(words)}\n`,
    'If nothing here helps, restore a backup into a new data folder.',
  );
}
