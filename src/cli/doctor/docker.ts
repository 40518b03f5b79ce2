// Docker: if there is one, and if this account may speak to it.
import { type Answer, askProgram } from './ask-program.ts';
import type { Check } from './check.ts';
import { type Finding, ok } from './finding.ts';

const ANSWER_MS = 10_000;

const NEEDLESS = 'trainings run as processes of this machine, which need none';

/** What `docker version` said of its server. No executor uses it: whatever is wrong with it is worth a note and nothing to mend. */
export function judgeDocker({ code, stdout, stderr, missing }: Answer): Finding {
  if (missing) return ok('docker', `none: ${NEEDLESS}`);
  const version = stdout.trim();
  if (code === 0 && version !== '') return ok('docker', `Docker ${version}`);
  if (/permission denied/i.test(stderr)) return ok('docker', `this account may not speak to it: ${NEEDLESS}`);
  if (code === null) return ok('docker', `gave no answer within ${ANSWER_MS / 1000} s: ${NEEDLESS}`);
  return ok('docker', `is installed, and its daemon does not run: ${NEEDLESS}`);
}

export const dockerCheck: Check = {
  topic: 'docker',
  within_ms: ANSWER_MS + 5_000,
  look: async () => [judgeDocker(await askProgram('docker', ['version', '--format', '{{.Server.Version}}'], ANSWER_MS))],
};
