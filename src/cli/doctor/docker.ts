// Docker: if there is one, if this account may speak to it, and if it has what trainings in containers need.
import { env } from '#/env.ts';
import { type Answer, askProgram } from './ask-program.ts';
import type { Check } from './check.ts';
import { type Finding, ok, problem } from './finding.ts';

const ANSWER_MS = 10_000;
const DEFAULT_HOST = 'unix:///var/run/docker.sock';

const NEEDLESS = 'trainings run as processes of this machine, which need none';

/** What `docker version` said of its server, where nothing runs in it: whatever is wrong with it is worth a note and nothing to mend. */
export function judgeDocker({ code, stdout, stderr, missing }: Answer): Finding {
  if (missing) return ok('docker', `none: ${NEEDLESS}`);
  const version = stdout.trim();
  if (code === 0 && version !== '') return ok('docker', `Docker ${version}`);
  if (/permission denied/i.test(stderr)) return ok('docker', `this account may not speak to it: ${NEEDLESS}`);
  if (code === null) return ok('docker', `gave no answer within ${ANSWER_MS / 1000} s: ${NEEDLESS}`);
  return ok('docker', `is installed, and its daemon does not run: ${NEEDLESS}`);
}

/** The same where trainings run in its containers, and what `docker image inspect` said of their image. */
export function judgeEngine(version: Answer, image: Answer, name: string): Finding {
  if (version.missing) return ok('docker', 'no docker command to ask it with: the worker tells what it finds');
  const number = version.stdout.trim();
  const found = version.stderr.trim().split('\n').at(-1) || 'it does not answer';
  if (/permission denied/i.test(version.stderr))
    return problem(
      'docker',
      'trainings run in containers, and this account may not speak to the engine',
      'Let the account of the studio speak to it (the group docker, or a rootless engine that DOCKER_HOST names)',
    );
  if (version.code !== 0 || number === '')
    return problem(
      'docker',
      `trainings run in containers, and the engine does not answer (${found})`,
      'Start it: systemctl start docker; or say in DOCKER_HOST where it listens; LOWRANK_EXECUTOR=process does without',
    );
  if (image.code !== 0)
    return problem(
      'docker',
      `Docker ${number} has no image ${name}, which trainings run in`,
      'Build it: npm run image; or name another one in TRAINING_IMAGE',
    );
  return ok('docker', `Docker ${number}, with the image ${name}`);
}

/** Where the worker finds it, whatever the command would choose by itself. */
const ENGINE = {
  DOCKER_HOST: env.DOCKER_HOST || DEFAULT_HOST,
  ...(env.DOCKER_CERT_PATH && { DOCKER_CERT_PATH: env.DOCKER_CERT_PATH, DOCKER_TLS_VERIFY: '1' }),
};
const ask = (...words: string[]) => askProgram('docker', words, ANSWER_MS, { variables: ENGINE });

export const dockerCheck: Check = {
  topic: 'docker',
  within_ms: 2 * ANSWER_MS + 5_000,
  look: async () => {
    const version = await ask('version', '--format', '{{.Server.Version}}');
    if (env.LOWRANK_EXECUTOR === 'process') return [judgeDocker(version)];
    const image = await ask('image', 'inspect', '--format', '{{.Id}}', env.TRAINING_IMAGE);
    return [judgeEngine(version, image, env.TRAINING_IMAGE)];
  },
};
