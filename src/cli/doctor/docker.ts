// Docker: if there is one, and if this account may speak to it.
import { type Answer, askProgram } from './ask-program.ts';
import type { Check } from './check.ts';
import { type Finding, ok, warning } from './finding.ts';

const ANSWER_MS = 10_000;

/** `answer`: what `docker version` said of its server. */
export function judgeDocker({ code, stdout, stderr, missing }: Answer): Finding {
  if (missing) return ok('docker', 'none: trainings run as processes of this machine, which need none');
  const version = stdout.trim();
  if (code === 0 && version !== '') return ok('docker', `Docker ${version}`);
  if (/permission denied/i.test(stderr))
    return warning(
      'docker',
      'this account may not speak to it',
      'Let it: sudo usermod -aG docker "$(id -un)", then sign in again',
    );
  if (code === null)
    return warning(
      'docker',
      `gave no answer within ${ANSWER_MS / 1000} s`,
      'See why: journalctl -u docker -n 50; sudo systemctl restart docker',
    );
  return warning(
    'docker',
    `is installed, but its daemon does not answer: ${stderr.split('\n').at(-1)}`,
    'Start it: sudo systemctl enable --now docker',
  );
}

export const dockerCheck: Check = {
  topic: 'docker',
  within_ms: ANSWER_MS + 5_000,
  look: async () => [judgeDocker(await askProgram('docker', ['version', '--format', '{{.Server.Version}}'], ANSWER_MS))],
};
