/** The CPU image of the trainer, really built on a bare Debian without any network: once an engine, whoever asks first. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { debianTar, trainerWheels } from './debian-fixtures.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const BASE = 'lowrank-test/debian:12';
/** Its packages are not compiled: that spares a minute. */
export const PLAIN_IMAGE = 'lowrank-test/training-image:plain';
/** As `npm run image` makes it. */
export const COMPILED_IMAGE = 'lowrank-test/training-image:compiled';

/** What a docker command needs to reach an engine. The classic builder: what it can build every engine can. */
export const dockerVariables = (host: string) => ({ ...process.env, DOCKER_HOST: host, DOCKER_BUILDKIT: '0' });

/** Builds it in the engine at `host`, where that has none of this name. */
export async function buildImage(host: string, name: typeof PLAIN_IMAGE | typeof COMPILED_IMAGE): Promise<void> {
  const run = (program: string, args: string[]) =>
    promisify(execFile)(program, args, { cwd: ROOT, env: dockerVariables(host), maxBuffer: 64e6 });
  if ((await run('docker', ['image', 'ls', '--quiet', name])).stdout !== '') return;
  await run('docker', ['import', debianTar(), BASE]);
  const words = ['scripts/build-image.ts', '--base', BASE, '--wheels', trainerWheels(), '--tag', name];
  await run(process.execPath, [...words, ...(name === PLAIN_IMAGE ? ['--no-compile'] : [])]);
}
