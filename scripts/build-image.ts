/** `npm run image`: builds the image that trainings run in (docs/training-images.md). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { readHello } from '#/domain/trainer-hello.ts';
import { buildTrainingImage } from './image/build-training-image.ts';
import { askDocker, DockerFailure } from './image/docker-command.ts';
import { lockedRun, VARIANTS } from './image/variants.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (word: string) => process.stderr.write(`lowrank: ${word}\n`);

interface Asked {
  cpu?: true;
  base?: string;
  tag: string;
  wheels?: string;
  extraIndex?: string;
  compile: boolean;
}

/** The commit that the checkout stands at; a copy without git has none. */
function revision(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--', 'trainer') === '' ? '' : '-changed'}`;
  } catch {
    return 'unknown';
  }
}

async function build(asked: Asked): Promise<void> {
  await askDocker(['version', '--format', '{{.Server.Version}}']);
  const variant = asked.cpu ? VARIANTS.cpu : VARIANTS.cuda;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const id = await buildTrainingImage({
    root,
    tag: asked.tag,
    base: asked.base ?? variant.base,
    extra_index: asked.extraIndex ?? variant.extra_index,
    wheels: asked.wheels === undefined ? null : resolve(asked.wheels),
    compile: asked.compile,
    version,
    revision: revision(),
    say,
  });
  const read = readHello(await askDocker(lockedRun(id, ['python', 'train_lora.py', '--hello'])));
  if (!read.ok) throw new DockerFailure(`${asked.tag} was built, and does not speak the trainer protocol: ${read.reason}`);
  const kinds = read.hello.trains.map(({ model_kind }) => model_kind).join(', ');
  say(`${asked.tag} is ${id}: ${read.hello.trainer}, which trains ${kinds}`);
}

const program = new Command('npm run image --')
  .description('Build the image that trainings run in, by the docker command of this machine (DOCKER_HOST counts).')
  .option('--cpu', 'torch without CUDA, on a Debian: a fraction of the size')
  .option('--base <image>', 'the Debian or Ubuntu to build on', undefined)
  .option('--tag <name>', 'how it is called', process.env.TRAINING_IMAGE ?? 'training-image')
  .option('--wheels <folder>', 'install from this folder alone, without any network')
  .option('--extra-index <url>', 'where pip looks beside its own index')
  .option('--no-compile', 'leave the packages uncompiled: a quicker build, slower starts')
  .action(build);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof DockerFailure)) throw error;
  say(error.message);
  process.exitCode = 1;
}
