import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import { env } from '#/env.ts';
import { createApiKey } from '#/services/people/api-keys.ts';
import { openBenchDatabase } from './database.ts';
import { median, printFigures } from './figures.ts';
import { type BenchWeb, startWeb } from './web.ts';

const ROUNDS = 3;
const MB = 1e6;
const USER = '00000001-0000-4000-8000-000000000001';

/** Resident memory of a process, in bytes: now, and at its highest since `forgetPeak`. */
async function residentOf(pid: number): Promise<{ now: number; peak: number }> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const kb = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { now: kb('VmRSS') * 1024, peak: kb('VmHWM') * 1024 };
}

const forgetPeak = (pid: number) => writeFile(`/proc/${pid}/clear_refs`, '5');

/** A file of exactly the largest size: many rows, or one endless line. */
async function makeFile(path: string, one_line: boolean): Promise<void> {
  const file = await open(path, 'w');
  const filler = 'The quick brown fox jumps over the lazy dog. ';
  let at = 0;
  for (let row = 0; at < DATASET_BYTES_MAX; row++) {
    const prompt = filler.repeat(6 + (row % 10));
    const text = one_line
      ? filler.repeat(20_000)
      : `${JSON.stringify({ prompt: `${row} ${prompt}`, completion: filler.repeat(4) })}\n`;
    const piece = text.slice(0, DATASET_BYTES_MAX - at);
    await file.write(piece);
    at += piece.length;
  }
  await file.close();
}

interface Sent {
  seconds: number;
  id: string;
}

async function send(web: BenchWeb, key: string, path: string, form: boolean): Promise<Sent> {
  const boundary = 'bench-boundary';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="rows.jsonl"\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  const { size } = await stat(path);
  const began = performance.now();
  const sending = request(`${web.url}/api/datasets/upload`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': form ? `multipart/form-data; boundary=${boundary}` : 'application/x-ndjson',
      'content-length': form ? size + head.length + tail.length : size,
    },
  });
  const answered = new Promise<string>((resolve, reject) => {
    sending.once('error', reject);
    sending.once('response', async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      if (answer.statusCode === 201) resolve(text);
      else reject(new Error(`the upload was answered ${answer.statusCode}: ${text}`));
    });
  });
  const content = form ? Readable.from(framed(head, path, tail)) : createReadStream(path, { highWaterMark: 256 * 1024 });
  await pipeline(content, sending);
  const { id } = JSON.parse(await answered) as { id: string };
  return { seconds: (performance.now() - began) / 1000, id };
}

async function* framed(head: string, path: string, tail: string): AsyncGenerator<Buffer> {
  yield Buffer.from(head);
  yield* createReadStream(path, { highWaterMark: 256 * 1024 });
  yield Buffer.from(tail);
}

/** Seconds and peak resident bytes of the check of a file: its structure alone, or with the tokens that a model makes of it. */
function inspect(path: string, report: string, model: string | null): { seconds: number; peak: number } {
  const code =
    'import resource,subprocess,sys; subprocess.run(sys.argv[1:], check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)';
  const began = performance.now();
  const out = execFileSync(
    env.python,
    [
      ...['-c', code, env.python, '-m', 'lora_trainer.inspect', '--dataset', path, '--report', report],
      ...(model === null ? [] : ['--model', model]),
    ],
    {
      cwd: join(env.repo, 'trainer'),
      encoding: 'utf8',
    },
  );
  return { seconds: (performance.now() - began) / 1000, peak: Number(out.trim()) * 1024 };
}

/** Peak of the same check on a file of one row: what Python and its libraries take by themselves. */
async function inspectIdle(folder: string, model: string | null): Promise<number> {
  const path = join(folder, 'one.jsonl');
  await writeFile(path, '{"prompt":"a","completion":"b"}\n');
  return inspect(path, join(folder, 'report.json'), model).peak;
}

/** Uploads of the largest file that is taken, raw and as a form, of many rows and of one line: speed and the web process's memory. */
export async function benchUpload(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lowrank-bench-upload-'));
  const database = await openBenchDatabase();
  const web = await startWeb(database);
  const figures: { what: string; value: string }[] = [];
  try {
    await database.run(`INSERT INTO identity.users (id, name, email) VALUES ($1, 'Bench', 'bench@example.test')`, [USER]);
    const asked = { name: 'bench', scopes: ['read', 'write'] as ('read' | 'write')[], expires_at: null };
    const { key } = await createApiKey({ user_id: USER, role: 'user' }, asked);
    for (const one_line of [false, true]) {
      const path = join(folder, 'rows.jsonl');
      await makeFile(path, one_line);
      const rows = one_line ? 'one line' : 'rows';
      for (const form of [false, true]) {
        const speeds: number[] = [];
        const over: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          const idle = (await residentOf(web.pid)).now;
          await forgetPeak(web.pid);
          const { seconds, id } = await send(web, key, path, form);
          over.push((await residentOf(web.pid)).peak - idle);
          speeds.push(DATASET_BYTES_MAX / MB / seconds);
          await database.run('DELETE FROM lowrank.rate_limits');
          await rm(join(web.data_dir, 'storage', USER, id), { recursive: true });
        }
        const how = `${form ? 'form' : 'raw body'}, ${rows}`;
        figures.push({ what: `500 MB as ${how}: speed`, value: `${median(speeds).toFixed(0)} MB/s (median of ${ROUNDS})` });
        figures.push({
          what: `500 MB as ${how}: web process above idle`,
          value: `${(Math.max(...over) / MB).toFixed(0)} MB at most`,
        });
      }
      for (const model of [null, join(env.repo, 'demo/model')]) {
        const idle = await inspectIdle(folder, model);
        const check = inspect(path, join(folder, 'report.json'), model);
        const above = `${((check.peak - idle) / MB).toFixed(0)} MB above an empty check`;
        const how = model === null ? 'without a model' : "with the demo's model";
        figures.push({ what: `500 MB of ${rows}: check ${how}`, value: `${check.seconds.toFixed(1)} s, ${above}` });
      }
    }
  } finally {
    await web.stop();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
  printFigures('Upload', figures);
}
