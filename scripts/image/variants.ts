/** The two images of the trainer: one Dockerfile, another base and another torch. */

export interface ImageVariant {
  /** Docker's default for BASE: by version, so that the same checkout makes the same image. */
  base: string;
  /** Where pip looks beside its own index. */
  extra_index: string;
}

export const VARIANTS = {
  /** torch with CUDA as PyPI has it: for torch 2.13 that of CUDA 13.0, whose drivers this base asks for. */
  cuda: { base: 'nvidia/cuda:13.0.2-base-ubuntu24.04', extra_index: '' },
  /** A local version (+cpu) counts as newer than the same from PyPI, so it is what pip takes. */
  cpu: { base: 'python:3.11.14-slim-bookworm', extra_index: 'https://download.pytorch.org/whl/cpu' },
} as const satisfies Record<string, ImageVariant>;

export interface BuildFacts {
  base: string;
  extra_index: string;
  version: string;
  revision: string;
  /** If the packages are compiled: it takes a minute, and spares each start of a training some seconds. */
  compile: boolean;
}

/** The arguments of `docker build` for the folder `trainer`. `offline`: nothing is fetched, for the base has all of it. */
export function buildArguments(facts: BuildFacts, tag: string, trainer: string, offline: boolean): string[] {
  const values = {
    BASE: facts.base,
    PIP_EXTRA_INDEX_URL: facts.extra_index,
    VERSION: facts.version,
    REVISION: facts.revision,
    COMPILE: facts.compile ? '1' : '0',
  };
  const args = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  return ['build', ...args, ...(offline ? ['--network', 'none'] : []), '--tag', tag, trainer];
}

/** The arguments of `docker run` for a container that may do nothing but speak: what a training's has beside its files. */
export function lockedRun(image: string, command: readonly string[], more: readonly string[] = []): string[] {
  const locks = ['--network', 'none', '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--pids-limit', '4096', '--init'];
  return ['run', '--rm', ...locks, '--security-opt', 'no-new-privileges', ...more, image, ...command];
}
