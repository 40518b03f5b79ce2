import { describe, expect, it } from 'vitest';
import { explainFailure } from './failure.ts';

describe('the words of a server that did not start', () => {
  it.each([
    ['disk_full', 'FATAL:  could not write to file "pg_wal/xlogtemp.12": No space left on device'],
    ['start_failed', 'FATAL:  could not create shared memory segment: No space left on device'],
    ['port_taken', 'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use'],
    ['wrong_major', 'FATAL:  database files are incompatible with server'],
    ['wrong_owner', 'FATAL:  data directory "/d/pgdata" has wrong ownership'],
    ['binaries_broken', 'postgres: error while loading shared libraries: libicui18n.so.60: cannot open shared object file'],
  ])('become %s', (code, words) => {
    const error = explainFailure('It did not start', `LOG:  starting PostgreSQL\n${words}\n`);
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.message.endsWith(error.cure)).toBe(true);
  });

  it('are shown when no cause is known', () => {
    const error = explainFailure('It did not start', 'one\ntwo\nPANIC:  something new\n');
    expect(error.code).toBe('start_failed');
    expect(error.message).toContain('PANIC:  something new');
  });
});
