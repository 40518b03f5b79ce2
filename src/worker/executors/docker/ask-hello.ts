/** Asks an image's trainer what it can do, in a container that may do nothing else. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { HELLO_BYTES_MAX, readHello, type TrainerHello } from '#/domain/trainer-hello.ts';
import type { ImageReason } from '#/domain/training-images.ts';
import { containersOf } from './containers.ts';
import { type Engine, EngineAway, EngineRefusal } from './engine.ts';
import { LogFrames } from './log-frames.ts';

/** Marks such a container with the worker that asks: what an ended worker left is removed by its next check. */
const CHECK_LABEL = 'dev.lowrank.image-check';
/** A trainer that loads torch first has answered by then, on a slow disk, too. */
const ANSWER_WITHIN_MS = 60_000;
const MEMORY_BYTES = 2 * 1024 ** 3;
/** Of the last lines of its output, which may have a greeting before the line and warnings behind it. */
const LINES_READ = 50;
const WORDS_MAX = 300;

export type Asked = { ok: true; digest: string; hello: TrainerHello } | { ok: false; reason: ImageReason };

const no = (code: ImageReason['code'], message: string): Asked => ({ ok: false, reason: { code, message } });

/** Everything that such a container is: no network, no files, no rights, no GPU, little of everything else. */
export const describeCheck = (image_id: string, worker_id: string) => ({
  Image: image_id,
  // Takes an image's own away: the API's word for none.
  Entrypoint: [''],
  Cmd: ['python', 'train_lora.py', '--hello'],
  WorkingDir: '/workspace',
  User: '65534:65534',
  Env: ['HOME=/tmp', 'TMPDIR=/tmp', 'NVIDIA_VISIBLE_DEVICES=void', 'CUDA_VISIBLE_DEVICES=', 'PYTHONDONTWRITEBYTECODE=1'],
  Labels: { [CHECK_LABEL]: worker_id },
  NetworkDisabled: true,
  HostConfig: {
    NetworkMode: 'none',
    IpcMode: 'private',
    ReadonlyRootfs: true,
    Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,mode=1777,size=268435456' },
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    Privileged: false,
    Init: true,
    PidsLimit: 256,
    Memory: MEMORY_BYTES,
    MemorySwap: MEMORY_BYTES,
    NanoCpus: 1e9,
    LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
    RestartPolicy: { Name: 'no' },
  },
});

const Waited = z.looseObject({ StatusCode: z.int() });
const Listed = z.array(z.looseObject({ Id: z.string() }));

/** Answers what the image is and what its trainer said, or why it is no good. Throws `EngineAway`. */
export async function askHello(engine: Engine, reference: string, worker_id: string): Promise<Asked> {
  const containers = containersOf(engine);
  const filters = JSON.stringify({ label: [`${CHECK_LABEL}=${worker_id}`] });
  const left = Listed.parse(await engine.ask('GET', '/containers/json', { query: { all: '1', filters } }));
  for (const { Id } of left) await containers.removeAnyway(Id);
  const digest = await containers.imageId(reference);
  if (digest === null) {
    const way = `run docker pull ${reference} on the worker's host, then have it checked again`;
    return no('image_not_found', `the container engine has no image ${reference}: ${way}`);
  }
  const name = `lowrank-image-check-${randomUUID()}`;
  try {
    await containers.create(name, describeCheck(digest, worker_id));
    await containers.start(name);
    const code = await endOf(engine, name);
    if (code === null) return no('silent', `its trainer did not answer --hello within ${ANSWER_WITHIN_MS / 1000} seconds`);
    const { out, error } = await wordsOf(engine, name);
    if (code !== 0) return no('silent', `its trainer answered --hello with exit code ${code}${quoted(error)}`);
    const read = readHello(out);
    return read.ok ? { ok: true, digest, hello: read.hello } : no('not_the_protocol', read.reason);
  } catch (error) {
    if (error instanceof EngineRefusal) return no('silent', `its trainer could not be started${quoted(error.message)}`);
    throw error;
  } finally {
    // An engine that went away meanwhile forgets nothing: the next check removes it.
    await containers.removeAnyway(name).catch(() => false);
  }
}

/** Its exit code; null when it took too long. */
async function endOf(engine: Engine, name: string): Promise<number | null> {
  const path = `/containers/${name}/wait`;
  try {
    return Waited.parse(await engine.ask('POST', path, { query: { condition: 'not-running' }, within_ms: ANSWER_WITHIN_MS }))
      .StatusCode;
  } catch (error) {
    if (!(error instanceof EngineAway)) throw error;
    // Whether the engine or the trainer is silent, the engine can say.
    const container = await containersOf(engine).inspect(name);
    return container?.status === 'exited' ? container.code : null;
  }
}

async function wordsOf(engine: Engine, name: string): Promise<{ out: string; error: string }> {
  const query = { stdout: '1', stderr: '1', timestamps: '1', tail: String(LINES_READ) };
  const frames = new LogFrames();
  const words = { out: '', error: '' };
  const answer = await engine.follow(`/containers/${name}/logs`, query, AbortSignal.timeout(ANSWER_WITHIN_MS));
  try {
    for await (const piece of answer as AsyncIterable<Buffer>)
      for (const { stream, data } of frames.take(piece)) {
        const to = stream === 2 ? 'error' : 'out';
        // One more than a line may have, so that a longer one is told as that.
        words[to] = (words[to] + data.toString('utf8')).slice(-(2 * HELLO_BYTES_MAX));
      }
  } catch (error) {
    throw new EngineAway((error as Error).message);
  }
  return words;
}

/** The last of its words, in one line that can be stored. */
function quoted(text: string): string {
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  const plain = last
    .replace(/\p{Cc}/gu, ' ')
    .toWellFormed()
    .trim()
    .slice(0, WORDS_MAX);
  return plain === '' ? '' : `: ${plain}`;
}
