import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askDocker, docker } from './docker-command.ts';
import { type BuildFacts, buildArguments } from './variants.ts';

export interface TrainingImageOptions extends BuildFacts {
  /** The checkout. */
  root: string;
  tag: string;
  /** A folder of wheels on the engine's own machine: nothing is fetched then. */
  wheels: string | null;
  say: (word: string) => void;
}

const REQUIREMENTS = ['requirements.txt', 'constraints.txt'];

/** Builds the image and answers its id. Throws `DockerFailure`. */
export async function buildTrainingImage(options: TrainingImageOptions): Promise<string> {
  const { root, tag, wheels, say } = options;
  const trainer = join(root, 'trainer');
  const base = wheels === null ? options.base : await basedOnWheels(options, trainer, wheels);
  say(`Building ${tag} on ${options.base}`);
  await docker(buildArguments({ ...options, base }, tag, trainer, wheels !== null));
  return askDocker(['image', 'inspect', '--format', '{{.Id}}', tag]);
}

/**
 * The base with the packages of a folder of wheels in it. A build cannot mount a folder without BuildKit, and copied wheels would stay in the
 * image; so a container of the base installs them from where they lie, and what it then is is kept, named after all that decides on it.
 */
async function basedOnWheels({ base, say }: TrainingImageOptions, trainer: string, wheels: string): Promise<string> {
  const base_id = await askDocker(['image', 'inspect', '--format', '{{.Id}}', base]);
  const sum = createHash('sha256').update(base_id);
  for (const name of REQUIREMENTS) sum.update('\0').update(readFileSync(join(trainer, name)));
  const name = `lowrank-trainer-packages:${sum.digest('hex').slice(0, 16)}`;
  if ((await askDocker(['image', 'ls', '--quiet', name])) !== '') return name;
  say(`Installing the trainer's packages from ${wheels}`);
  const install = [
    'mkdir -p /opt/trainer && cd /opt/trainer && python3 -m venv .',
    'bin/python -m pip install --no-cache-dir --no-compile --disable-pip-version-check --progress-bar off --quiet --no-index \
      --find-links /mnt -r /media/requirements.txt -c /media/constraints.txt',
  ].join(' && ');
  // Folders that every Debian has: one made for a mount would stay in the image.
  const binds = [`${wheels}:/mnt:ro`, `${trainer}:/media:ro`];
  const mounts = binds.flatMap((bind) => ['--volume', bind]);
  const container = await askDocker([
    'create',
    '--network',
    'none',
    '--user',
    '0',
    ...mounts,
    '--entrypoint',
    '/bin/sh',
    base,
    '-c',
    install,
  ]);
  try {
    await docker(['start', '--attach', container]);
    // The command of the container is not to become the image's.
    await askDocker(['commit', '--change', 'CMD []', '--change', 'ENTRYPOINT []', container, name]);
  } finally {
    await askDocker(['rm', '--force', '--volumes', container]);
  }
  return name;
}
