/** Vitest's global set-up of the project `docker`: one dockerd for all its files, with the stand-ins' images. */
import type { TestProject } from 'vitest/node';
import { env } from '#/env.ts';
import { importStandInImages, makeDockerDaemon, noDaemonHere } from './docker-daemon.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of a dockerd that runs; null where none can, which this has said. */
    docker_folder: string | null;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const reason = noDaemonHere();
  project.provide('docker_folder', null);
  if (reason !== null) {
    const words = `THE DOCKER EXECUTOR IS NOT TESTED: no dockerd can run here (${reason})`;
    if (env.CI) throw new Error(words);
    console.error(`\n${'!'.repeat(100)}\n${words}\n${'!'.repeat(100)}\n`);
    return async () => undefined;
  }
  const daemon = await makeDockerDaemon();
  try {
    await daemon.start();
    await importStandInImages(daemon);
  } catch (error) {
    await daemon.remove();
    throw error;
  }
  project.provide('docker_folder', daemon.folder);
  return daemon.remove;
}
