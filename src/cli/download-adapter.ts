import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { Artifact } from '#/contract/artifacts.ts';
import type { ApiClient } from './api-client.ts';
import { CommandError } from './command-error.ts';
import { openProgressLine } from './progress-bar.ts';

const MB = 1_000_000;

export interface Downloaded {
  /** The folder with the adapter, absolute. */
  folder: string;
  /** Of the weights file, hex. */
  sha256: string;
  artifact: Artifact;
}

/** Downloads a job's adapter and its passport into a folder, as the zip of everything has them: each file checked against its SHA-256; the folder appears whole or not at all. */
export async function downloadAdapter(client: ApiClient, job_id: string, into: string): Promise<Downloaded> {
  const { data } = await client.call<{ data: { artifacts: Artifact[] } }>('GET', `/api/jobs/${job_id}/artifacts`);
  const artifact = data.artifacts.find((one) => one.kind === 'adapter');
  if (artifact === undefined) throw new CommandError('This job has no adapter');
  const folder = resolve(into);
  const staged = `${folder}.part`;
  await rm(staged, { recursive: true, force: true });
  const line = openProgressLine();
  let done = 0;
  try {
    for (const file of artifact.files) {
      const target = join(staged, file.path);
      if (!target.startsWith(`${staged}/`)) throw new CommandError(`The studio names a file outside the adapter: ${file.path}`);
      await mkdir(dirname(target), { recursive: true });
      const response = await client.open(`/api/artifacts/${artifact.id}/download?file=${file.id}`);
      if (response.body === null) throw new CommandError(`${file.path} came without a body`);
      const hash = createHash('sha256');
      const watched = new Transform({
        transform(chunk: Buffer, _, next) {
          hash.update(chunk);
          done += chunk.length;
          line.show({
            stage: 'downloading',
            done,
            total: artifact.size,
            count: `${(done / MB).toFixed(1)} of ${(artifact.size / MB).toFixed(1)} MB`,
          });
          next(null, chunk);
        },
      });
      await pipeline(Readable.fromWeb(response.body as NodeReadableStream), watched, createWriteStream(target));
      if (hash.digest('hex') !== file.sha256)
        throw new CommandError(`${file.path} arrived damaged: its SHA-256 is not the recorded one. Try again.`);
    }
    if (Object.keys(artifact.passport).length > 0)
      await writeFile(join(staged, 'passport.json'), `${JSON.stringify(artifact.passport, null, 2)}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(staged, folder);
  } finally {
    line.clear();
    await rm(staged, { recursive: true, force: true });
  }
  return { folder, sha256: artifact.sha256, artifact };
}
