import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { addBrowser, addCaller, emptyHouse, makeApi, noWaiting } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob } from '../../test/factories.ts';
import { addTenantRows } from '../../test/tenancy-scene.ts';
import type { Api } from './api-env.ts';

const db = useDatabase();
const NO_ID = '00000000-0000-4000-8000-000000000000';
let admin: Awaited<ReturnType<typeof addCaller>>;
let user: Awaited<ReturnType<typeof addCaller>>;
let api: Api;
beforeAll(async () => {
  await emptyHouse(db);
  admin = await addCaller(db, { role: 'administrator', scopes: ['read'] });
  user = await addCaller(db);
});
beforeEach(async () => {
  await noWaiting(db);
  // A process of its own: with its own counters, and figures that nobody asked it for yet.
  api = makeApi();
});
afterEach(() => {
  vi.useRealTimers();
});

const scrape = (headers: Record<string, string> = admin.headers, from = api) => from.request('/metrics', { headers });
const SAMPLE = /^([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="[^"\n]*",?)*)\})? ([-+0-9.eE]+|Nan|\+Inf)$/;

/** Every sample by its name and labels, these in order of the alphabet. */
async function samples(from = api): Promise<Map<string, number>> {
  const text = await (await scrape(admin.headers, from)).text();
  const found = new Map<string, number>();
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    expect([line, name]).toEqual([line, expect.any(String)]);
    found.set(`${name} ${labels.split(',').sort().join(' ')}`.trim(), Number(value));
  }
  return found;
}

describe('metrics', () => {
  test('are an administrator’s: with a key that reads, or signed in', async () => {
    expect((await api.request('/metrics')).status).toBe(401);
    const refused = await scrape(user.headers);
    expect([refused.status, (await refused.json()).code]).toEqual([403, 'forbidden']);
    const told = await scrape();
    expect([told.status, told.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect((await scrape((await addBrowser(db, { role: 'administrator' })).headers)).status).toBe(200);
  });

  test('count what this process answered by declared path and status, never by what was asked for', async () => {
    for (const path of [`/api/jobs/${NO_ID}`, `/api/jobs/${crypto.randomUUID()}`])
      await api.request(path, { headers: user.headers });
    await api.request('/api/me', { headers: user.headers });
    await api.request('/api/me');
    await api.request('/secret-of-somebody', { headers: user.headers });
    await api.request('/api/keys', { method: 'PROPFIND', headers: user.headers });
    const counted = await samples();
    const requests = (labels: string) => counted.get(`lowrank_http_requests_total ${labels}`);
    expect(requests('method="GET" route="/api/jobs/{id}" status="404"')).toBe(2);
    expect(requests('method="GET" route="/api/me" status="200"')).toBe(1);
    expect(requests('method="GET" route="/api/me" status="401"')).toBe(1);
    expect(requests('method="GET" route="none" status="404"')).toBe(1);
    expect(requests('method="PROPFIND" route="none" status="405"')).toBe(1);
    expect(counted.get('lowrank_http_request_duration_seconds_count method="GET" route="/api/me"')).toBe(2);
    expect(counted.get('lowrank_http_request_duration_seconds_bucket le="+Inf" method="GET" route="/api/me"')).toBe(2);
    const of_another_process = await samples(makeApi());
    expect([...of_another_process.keys()].filter((name) => name.startsWith('lowrank_http_requests_total'))).toEqual([]);
  });

  test('of an installation that has nothing yet are 0, not missing', async () => {
    const empty = await samples();
    expect(empty.get('lowrank_jobs status="running"')).toBe(0);
    expect(empty.get('lowrank_waiting_jobs reason="in_line"')).toBe(0);
    expect(empty.get('lowrank_webhook_deliveries status="failed"')).toBe(0);
    expect(empty.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  });

  test('are the ones that the documents explain', async () => {
    const text = await readFile(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
    const [, section = ''] = /^## Metrics\n(.*?)^## /ms.exec(text) ?? [];
    const explained = [...section.matchAll(/^\| `(lowrank_[a-z_]+)` \|/gm)].map((row) => row[1]);
    const declared = [...(await (await scrape()).text()).matchAll(/^# TYPE (lowrank_[a-z_]+) /gm)].map((line) => line[1]);
    expect(explained.sort()).toEqual(declared.sort());
  });

  test('tell the figures of everybody’s things together, and nothing by which anybody is known', async () => {
    const people = [user.user_id, (await addCaller(db)).user_id];
    for (const user_id of people) {
      await addTenantRows(db, user_id);
      await addJob(db, user_id, { status: 'queued', held_at: new Date() });
      await addJob(db, user_id, { status: 'queued', current_stage: 'fetching_model' });
      await addJob(db, user_id, { status: 'failed', deleted_at: new Date() });
    }
    await db.asOwner(`UPDATE lowrank.datasets SET purged_at = now() WHERE user_id = $1`, [people[0]]);
    await db.asOwner(`UPDATE lowrank.workers SET heartbeat_at = clock_timestamp() - interval '90 s'`);
    await db.asOwner(`UPDATE lowrank.workers SET stopped_at = now() WHERE id = 'host-' || $1`, [people[0]]);
    await db.asOwner(`UPDATE lowrank.gpu_leases SET released_at = now() WHERE user_id = $1`, [people[0]]);
    const told = await samples();
    expect(Object.fromEntries([...told].filter(([name]) => /^lowrank_(?!http)/.test(name) && told.get(name) !== 0))).toEqual({
      'lowrank_jobs status="queued"': 6,
      'lowrank_jobs status="running"': 2,
      'lowrank_jobs status="failed"': 2,
      lowrank_active_jobs: 2,
      'lowrank_waiting_jobs reason="in_line"': 2,
      'lowrank_waiting_jobs reason="held"': 2,
      'lowrank_waiting_jobs reason="fetching_model"': 2,
      'lowrank_devices kind="cpu" state="free"': 1,
      'lowrank_devices kind="cpu" state="leased"': 1,
      'lowrank_device_leases kind="cpu"': 1,
      [`lowrank_worker_heartbeat_age_seconds worker="host-${people[1]}"`]: expect.closeTo(100, -1.4),
      'lowrank_storage_bytes what="datasets"': 5000,
      'lowrank_storage_bytes what="artifacts"': 2,
      'lowrank_storage_bytes what="models"': 2,
      'lowrank_webhook_deliveries status="pending"': 2,
      'lowrank_transfers kind="dataset" status="pending"': 2,
    });
    const text = await (await scrape()).text();
    // A worker has the id of its host's data directory; this scene's says whose scene it is.
    const of_workers = text.replaceAll(/^lowrank_worker_heartbeat.*$/gm, '');
    const known_by = await db.asOwner<{ word: string }>(
      `SELECT id::text AS word FROM identity.users UNION SELECT email FROM identity.users UNION SELECT name FROM identity.users
       UNION SELECT id::text FROM lowrank.training_jobs UNION SELECT name FROM lowrank.training_jobs UNION SELECT name FROM lowrank.datasets
       UNION SELECT url FROM lowrank.webhooks UNION SELECT hf_repo_id FROM lowrank.transfers`,
    );
    expect(known_by.length).toBeGreaterThan(10);
    for (const { word } of known_by) expect([word, of_workers.includes(`"${word}"`)]).toEqual([word, false]);
  });

  test('look at no job that is over, however many there are', async () => {
    const id = await addJob(db, user.user_id, { status: 'completed' });
    await db.asOwner(
      `INSERT INTO lowrank.training_jobs (user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config,
         total_epochs, total_steps, status, error_code)
       SELECT user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config, total_epochs, total_steps,
         (ARRAY['completed', 'failed', 'cancelled'])[1 + n % 3], CASE WHEN n % 3 = 1 THEN 'internal' END
       FROM lowrank.training_jobs, generate_series(1, 3000) AS n WHERE id = $1`,
      [id],
    );
    await db.asOwner('VACUUM ANALYZE lowrank.training_jobs');
    // A session tells its counts when it ends.
    const rowsRead = async () => {
      await db.asOwner(
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'lowrank-identity' AND datname = current_database()`,
      );
      // Ours, which wrote them, at once.
      await db.asOwner('SELECT pg_stat_force_next_flush()');
      await db.asOwner('SELECT pg_stat_clear_snapshot()');
      const [row] = await db.asOwner<{ n: number }>(
        `SELECT (t.seq_tup_read + (SELECT coalesce(sum(i.idx_tup_read), 0) FROM pg_stat_user_indexes i WHERE i.relid = t.relid))::integer AS n
         FROM pg_stat_user_tables t WHERE t.relid = 'lowrank.training_jobs'::regclass`,
      );
      return row?.n ?? Number.NaN;
    };
    const before = await rowsRead();
    const told = await samples();
    expect((await rowsRead()) - before).toBeLessThan(100);
    const [counted] = await db.asOwner<Record<string, number>>(
      `SELECT count(*) FILTER (WHERE status = 'completed')::integer AS completed, count(*) FILTER (WHERE status = 'failed')::integer AS failed,
         count(*) FILTER (WHERE status = 'cancelled')::integer AS cancelled FROM lowrank.training_jobs`,
    );
    for (const status of ['completed', 'failed', 'cancelled'])
      expect([status, told.get(`lowrank_jobs status="${status}"`)]).toEqual([status, counted?.[status]]);
    expect(counted?.completed).toBeGreaterThan(1000);
  });

  test('ask the database once in five seconds, however often they are asked, and again after a fault', async () => {
    const running = async () => (await samples()).get('lowrank_jobs status="running"') ?? 0;
    const hide = (how: 'REVOKE' | 'GRANT') =>
      db.asOwner(`${how} EXECUTE ON FUNCTION lowrank.installation_figures() ${how === 'GRANT' ? 'TO' : 'FROM'} lowrank_identity`);
    vi.useFakeTimers({ toFake: ['performance'] });
    await hide('REVOKE');
    expect((await scrape()).status).toBe(500);
    await hide('GRANT');
    const [before, same] = await Promise.all([running(), running()]);
    expect(same).toBe(before);
    await addJob(db, admin.user_id, { status: 'running' });
    vi.advanceTimersByTime(4_999);
    expect(await running()).toBe(before);
    vi.advanceTimersByTime(2);
    expect(await running()).toBe(before + 1);
  });
});
