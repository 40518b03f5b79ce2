/** The life of an installation: a second studio is refused, Ctrl-C leaves its training alone, and a backup starts elsewhere. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Artifact } from '#/contract/artifacts.ts';
import { identityOf, isAlive, type ProcessIdentity, signalProcess } from '#/worker/process-identity.ts';
import { becomeOwner, localKey, lowrank, signIn } from './command-line.ts';
import { REPO, startedRun, startStudio, type TestStudio } from './studio.ts';

const VARIABLES = {
  LOWRANK_WITHOUT_PAGES: '1',
  LOWRANK_TRAINER: join(REPO, 'trainer/fake_trainer.py'),
  HF_TOKEN: 'hf_canaryCanary1234',
};
const STEPS = 600;

let studio: TestStudio;
let work: string;
let job_id: string;
let run: ReturnType<typeof startedRun> | undefined;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'lowrank-ended-'));
  studio = await startStudio(undefined, VARIABLES);
  await becomeOwner(studio);
});
afterAll(async () => {
  if (run !== undefined) await signalProcess(run.wrapper, 'SIGKILL');
  await studio?.remove();
  rmSync(work, { recursive: true, force: true });
});

interface Row {
  id: string;
  status: string;
  attempt: number;
  retry_count: number;
}
const job = async (): Promise<Row | undefined> => (await studio.asOwner<Row>('SELECT * FROM lowrank.training_jobs'))[0];

/** What the kernel tells of every process: its parent and the variables that it was started with. */
function processes(): { pid: number; parent: number; variables: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      return [{ pid: Number(name), parent, variables: readFileSync(`/proc/${name}/environ`, 'utf8') }];
    } catch {
      // It ended while it was looked at.
      return [];
    }
  });
}

/** Everything that a studio started for itself: its own processes and those of its database. */
async function household(): Promise<ProcessIdentity[]> {
  const [database] = await studio.asOwner<{ pid: number }>(
    "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid",
  );
  const all = processes();
  const own = all.filter(({ variables }) => variables.includes(`LOWRANK_DATA_DIR=${studio.data_dir}\0`));
  const servers = all.filter(({ pid, parent }) => pid === database?.pid || parent === database?.pid);
  expect(own.length, 'studio, web and worker').toBe(3);
  expect(servers.length, 'the database and its own').toBeGreaterThan(3);
  const identities = await Promise.all([...own, ...servers].map(({ pid }) => identityOf(pid)));
  return identities.filter((identity) => identity !== null);
}

const alive = async (identities: ProcessIdentity[]): Promise<ProcessIdentity[]> => {
  const lives = await Promise.all(identities.map(isAlive));
  return identities.filter((_, at) => lives[at]);
};

describe('a studio', () => {
  test('that runs on a data directory lets no second one start there', async () => {
    const { code, said } = await lowrank(studio, ['start']);
    expect(code, said).toBe(3);
    expect(said).toContain(`A studio already runs on this data directory: ${studio.url}`);
    expect((await fetch(`${studio.url}/api/health`)).status).toBe(200);
  });

  test('gives each of its processes the logins that it works with, and web no other secret', async () => {
    const own = processes().filter(({ variables }) => variables.includes(`LOWRANK_DATA_DIR=${studio.data_dir}\0`));
    const names = own.map(({ variables }) => variables.split('\0').map((line) => line.split('=')[0] ?? ''));
    const secret = /^(LOWRANK_(WEB|IDENTITY|SCHEDULER|DELIVERY)_URL|HF_TOKEN|DATABASE_URL)$/;
    expect(
      names
        .map((all) =>
          all
            .filter((name) => secret.test(name))
            .sort()
            .join(),
        )
        .sort(),
    ).toEqual(['HF_TOKEN', 'HF_TOKEN,LOWRANK_DELIVERY_URL,LOWRANK_SCHEDULER_URL', 'LOWRANK_IDENTITY_URL,LOWRANK_WEB_URL']);
  });

  test('that is ended by Ctrl-C takes web, worker and database with it and leaves its training, which the next start finds again', async () => {
    const typed = await lowrank(studio, [
      ...['train', '--dataset', join(REPO, 'demo/orders.jsonl'), '--model', join(REPO, 'demo/model')],
      ...['--preset', 'fast', '--set', `max_steps=${STEPS}`],
    ]);
    expect(typed.code, typed.said).toBe(0);
    await expect.poll(async () => (await job())?.status, { timeout: 60_000 }).toBe('running');
    job_id = (await job())?.id ?? '';
    run = startedRun(studio, job_id);
    const events = join(studio.data_dir, 'runs', job_id, '1/outputs/events.jsonl');
    const house = await household();

    await studio.stop();
    expect(await alive(house)).toEqual([]);
    expect(studio.said()).toContain('trainings run on');
    const written = statSync(events).size;
    await expect.poll(() => statSync(events).size, { timeout: 20_000 }).toBeGreaterThan(written);
    // Held, so that it is found in the middle however long the next start takes.
    await signalProcess(run.child, 'SIGSTOP');
    expect(await alive([run.wrapper, run.child])).toEqual([run.wrapper, run.child]);

    studio = await startStudio(studio.data_dir, VARIABLES);
    expect(await job()).toMatchObject({ status: 'running', attempt: 1 });
    await signalProcess(run.child, 'SIGCONT');
    await expect.poll(job, { timeout: 120_000 }).toMatchObject({ status: 'completed', attempt: 1, retry_count: 0 });
    const told = readFileSync(events, 'utf8').trim().split('\n');
    const metrics = told.map((line) => JSON.parse(line) as { type: string; seq: number }).filter((one) => one.type === 'metric');
    const stored = await studio.asOwner<{ attempt: number; seq: number }>(
      'SELECT attempt, seq FROM lowrank.metrics_points ORDER BY attempt, seq',
    );
    expect(stored).toEqual(metrics.map(({ seq }) => ({ attempt: 1, seq })));
    expect(stored.length).toBeGreaterThanOrEqual(STEPS);
  });

  test('that is backed up and restored starts in its new place: its people sign in, its adapter is downloaded as it was', async () => {
    const file = join(work, 'studio.tar');
    const early = await lowrank(studio, ['backup', file]);
    expect(early.code, early.said).toBe(3);
    const kept = await adapterFiles(studio);
    await studio.stop();
    const backup = await lowrank(studio, ['backup', file]);
    expect(backup.code, backup.said).toBe(0);
    const data_dir = join(work, 'restored');
    const restored = await lowrank({ data_dir }, ['restore', file]);
    expect(restored.code, restored.said).toBe(0);

    const again = await startStudio(data_dir, VARIABLES);
    try {
      expect(again.setup_token, 'it has its owner already').toBe('');
      expect(await signIn(again)).toBe(200);
      expect(await adapterFiles(again)).toEqual(kept);
      expect(Object.keys(kept)).toContain('adapter_model.safetensors');
    } finally {
      await again.remove();
    }
  });
});

/** The adapter of the job as a client gets it: the SHA-256 of each file, which must be the one that the studio names. */
async function adapterFiles(of: TestStudio): Promise<Record<string, string>> {
  const headers = { Authorization: `Bearer ${localKey(of)}` };
  const listed = await fetch(`${of.url}/api/jobs/${job_id}/artifacts`, { headers });
  const { data } = (await listed.json()) as { data: { artifacts: Artifact[] } };
  const sums: Record<string, string> = {};
  for (const artifact of data.artifacts) {
    for (const { id, path, sha256 } of artifact.files) {
      const got = await fetch(`${of.url}/api/artifacts/${artifact.id}/download?file=${id}`, { headers });
      expect(got.status).toBe(200);
      const bytes = Buffer.from(await got.arrayBuffer());
      sums[path] = createHash('sha256').update(bytes).digest('hex');
      expect(sums[path]).toBe(sha256);
    }
  }
  return sums;
}
