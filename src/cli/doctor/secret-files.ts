// Files that hold secrets: each is its owner's alone.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from './check.ts';
import { type Finding, ok, problem, shellWord } from './finding.ts';

export interface SecretFile {
  path: string;
  /** Permission bits, such as 0o600. */
  mode: number;
  uid: number;
}

const IN_DATA = ['session-secret', 'download-key', 'secrets-key', 'database-logins.json', 'local-key', 'cli-login.json'];

export function judgeSecretFiles(files: SecretFile[], our_uid: number): Finding[] {
  const open = files.filter(({ mode }) => (mode & 0o077) !== 0);
  const foreign = files.filter(({ uid }) => uid !== our_uid);
  const found: Finding[] = [];
  if (open.length > 0) {
    const named = open.map(({ path, mode }) => `${path} (mode ${mode.toString(8)})`).join('\n');
    found.push(
      problem(
        'secrets',
        `others can read\n${named}`,
        `Close them: chmod 600 ${open.map(({ path }) => shellWord(path)).join(' ')}`,
      ),
    );
  }
  if (foreign.length > 0) {
    const named = foreign.map(({ path, uid }) => `${path} (uid ${uid})`).join('\n');
    const cure = `Take them back: sudo chown ${our_uid} ${foreign.map(({ path }) => shellWord(path)).join(' ')}`;
    found.push(problem('secrets', `belong to another account, which can read them\n${named}`, cure));
  }
  if (found.length > 0) return found;
  return [
    ok(
      'secrets',
      files.length === 0 ? 'none yet' : `${files.length} file${files.length === 1 ? '' : 's'}, readable by this account alone`,
    ),
  ];
}

/** `database_home`: the folder with the embedded server's credentials; null where there is none. */
export function secretsCheck(data_dir: string, database_home: () => Promise<string | null>): Check {
  return {
    topic: 'secrets',
    within_ms: 10_000,
    look: async () => {
      const home = await database_home().catch(() => null);
      const paths = [...IN_DATA.map((name) => join(data_dir, name)), ...(home === null ? [] : [join(home, 'credentials.json')])];
      const files = await Promise.all(
        paths.map(async (path) => {
          const there = await stat(path).catch(() => null);
          return there === null ? [] : [{ path, mode: there.mode & 0o777, uid: there.uid }];
        }),
      );
      return judgeSecretFiles(files.flat(), process.getuid?.() ?? 0);
    },
  };
}
