/** What must hold of rows, files and processes at any time when nothing is in flight: each check answers what breaks it. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleImageFile } from '#/domain/sample-images.ts';
import { parseTrainerLine } from '#/domain/trainer-events.ts';
import { findMarked } from '#/worker/process-identity.ts';
import type { TestDatabase } from './database.ts';

const QUERIES: Record<string, string> = {
  'a user has more active jobs than slots': `SELECT user_id FROM (SELECT user_id, count(*) AS n FROM lowrank.training_jobs WHERE slot IS NOT NULL GROUP BY 1) a
      WHERE n > (SELECT count(*) FROM lowrank.job_slots s WHERE s.user_id = a.user_id)`,
  'the queue counters disagree with the jobs': `SELECT q.user_id FROM lowrank.user_queues q WHERE
      q.active <> (SELECT count(*) FROM lowrank.training_jobs j WHERE j.user_id = q.user_id AND j.slot IS NOT NULL) OR
      q.queued <> (SELECT count(*) FROM lowrank.training_jobs j WHERE j.user_id = q.user_id AND j.status = 'queued' AND j.held_at IS NULL
        AND j.current_stage IS DISTINCT FROM 'fetching_model') OR
      (q.waiting, q.completed, q.failed, q.cancelled) <> (SELECT count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'completed'),
        count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'cancelled') FROM lowrank.training_jobs j WHERE j.user_id = q.user_id)`,
  'events are not numbered without gaps': `SELECT job_id FROM (SELECT job_id, seq, row_number() OVER (PARTITION BY job_id ORDER BY seq) AS n
      FROM lowrank.job_events) e WHERE seq <> n
      UNION SELECT id FROM lowrank.training_jobs j WHERE event_seq <> (SELECT max(seq) FROM lowrank.job_events e WHERE e.job_id = j.id)`,
  'state changes do not link up': `SELECT job_id FROM (SELECT job_id, from_status, lag(to_status) OVER (PARTITION BY job_id ORDER BY seq) AS before
      FROM lowrank.job_events WHERE type = 'state') e WHERE from_status IS DISTINCT FROM before`,
  'the last state change is not the status': `SELECT j.id FROM lowrank.training_jobs j WHERE j.status <>
      (SELECT to_status FROM lowrank.job_events e WHERE e.job_id = j.id AND type = 'state' ORDER BY seq DESC LIMIT 1)`,
  'something left a final status': `SELECT job_id FROM lowrank.job_events WHERE type = 'state' AND from_status IN ('completed', 'failed', 'cancelled')`,
  'points do not increase': `SELECT job_id FROM (SELECT job_id, step, lag(step) OVER (PARTITION BY job_id, attempt ORDER BY seq) AS before
      FROM lowrank.metrics_points) p WHERE step < before`,
  'completed and an adapter do not go together': `SELECT j.id FROM lowrank.training_jobs j WHERE
      (j.status = 'completed' AND j.config #>> '{spec,probe_only}' IS DISTINCT FROM 'true') <> EXISTS (SELECT FROM lowrank.model_artifacts a WHERE a.job_id = j.id AND a.id = j.artifact_id AND a.kind = 'adapter')
      UNION SELECT a.job_id FROM lowrank.model_artifacts a JOIN lowrank.training_jobs j ON j.id = a.job_id WHERE j.status <> 'completed'`,
  'an active job has no open run of its attempt, or another has one': `SELECT j.id FROM lowrank.training_jobs j WHERE
      (j.status IN ('initializing', 'running'))::integer <> (SELECT count(*) FROM lowrank.job_runs r WHERE r.job_id = j.id AND r.ended_at IS NULL)
      OR (j.status IN ('initializing', 'running') AND NOT EXISTS (SELECT FROM lowrank.job_runs r
        WHERE r.job_id = j.id AND r.attempt = j.attempt AND r.epoch = j.epoch AND r.ended_at IS NULL))`,
  'a device is leased to a run that is over': `SELECT l.job_id FROM lowrank.gpu_leases l JOIN lowrank.training_jobs j ON j.id = l.job_id
      WHERE l.released_at IS NULL AND (j.status NOT IN ('initializing', 'running') OR j.attempt <> l.attempt)`,
  'an active job has more or fewer devices than it asked for, or of several hosts': `SELECT j.id FROM lowrank.training_jobs j,
      LATERAL (SELECT count(*) AS n, count(DISTINCT d.worker_id) AS hosts FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id
        WHERE l.job_id = j.id AND l.attempt = j.attempt AND l.released_at IS NULL) l
      WHERE j.status IN ('initializing', 'running') AND (l.n <> (j.gpu_config ->> 'count')::integer OR l.hosts <> 1)`,
  'a device was given to somebody else than it is kept for': `SELECT l.job_id FROM lowrank.gpu_reservations r JOIN lowrank.gpu_leases l
      ON l.device_id = ANY (r.device_ids) AND l.released_at IS NULL WHERE l.leased_at > r.reserved_at`,
  'devices are kept for a job that does not wait, or not as many as it needs': `SELECT r.job_id FROM lowrank.gpu_reservations r
      JOIN lowrank.training_jobs j ON j.id = r.job_id WHERE j.status <> 'queued' OR j.held_at IS NOT NULL
      OR cardinality(r.device_ids) <> (j.gpu_config ->> 'count')::integer`,
  'a run is paid for longer or shorter than its owner measured': `SELECT job_id FROM lowrank.job_runs WHERE handle IS NOT NULL
      AND ended_at IS NOT NULL AND metered_s <> (exit ->> 'ran_ms')::numeric / 1000`,
  'the hours paid for are not those of the runs, or a bill is not the sum of its records': `SELECT j.id FROM lowrank.training_jobs j,
      LATERAL (SELECT coalesce(sum(metered_s), 0) / 3600 AS hours FROM lowrank.job_runs r WHERE r.job_id = j.id) r,
      LATERAL (SELECT coalesce(sum(quantity) FILTER (WHERE type = 'compute'), 0) AS hours, coalesce(sum(amount), 0) AS amount
        FROM lowrank.cost_records c WHERE c.job_id = j.id) c
      WHERE j.status NOT IN ('initializing', 'running') AND (abs(r.hours - c.hours) > 0.00001 OR j.current_cost <> c.amount)
      UNION SELECT id FROM lowrank.training_jobs WHERE final_cost <> current_cost`,
  'a final status has no notification, or two': `SELECT j.id FROM lowrank.training_jobs j WHERE j.status IN ('completed', 'failed', 'cancelled') AND 1 <>
      (SELECT count(*) FROM lowrank.notifications n WHERE n.metadata ->> 'job_id' = j.id::text AND n.type = 'job_' || j.status)`,
  'a final status has no activity, or two': `SELECT j.id FROM lowrank.training_jobs j WHERE j.status IN ('completed', 'failed', 'cancelled') AND 1 <>
      (SELECT count(*) FROM lowrank.activities a WHERE a.entity_id = j.id AND a.event_type = 'job_' || j.status)`,
};

/** Everything that is broken, in words; [] when all is well. `data_dirs` are the hosts whose files and processes count. */
export async function brokenInvariants(db: TestDatabase, data_dirs: string[]): Promise<string[]> {
  const broken: string[] = [];
  for (const [words, query] of Object.entries(QUERIES)) {
    const rows = await db.asOwner(query);
    if (rows.length > 0) broken.push(`${words}: ${JSON.stringify(rows.slice(0, 5))}`);
  }
  for (const data_dir of data_dirs) {
    broken.push(...(await strayProcesses(db, data_dir)));
    broken.push(...(await differingPoints(db, data_dir)));
    broken.push(...(await brokenArtifacts(db, data_dir)));
  }
  return broken;
}

async function runFolders(data_dir: string): Promise<string[]> {
  return (await readdir(join(data_dir, 'runs')).catch(() => [])).filter((name) => name.length === 36);
}

/** Processes that carry the marker of a job that is over. */
async function strayProcesses(db: TestDatabase, data_dir: string): Promise<string[]> {
  const folders = new Set(await runFolders(data_dir));
  const strays: string[] = [];
  for (const [marker, identities] of await findMarked()) {
    const [job_id = ''] = marker.split(':');
    if (!folders.has(job_id)) continue;
    const rows = await db.asOwner(
      "SELECT 1 FROM lowrank.training_jobs WHERE id = $1 AND status IN ('completed', 'failed', 'cancelled', 'queued')",
      [job_id],
    );
    if (rows.length > 0) strays.push(`processes of a run that is over: ${marker} ${JSON.stringify(identities)}`);
  }
  return strays;
}

/** Attempts whose stored points are not, line for line, those of their events.jsonl. Active jobs may be behind. */
async function differingPoints(db: TestDatabase, data_dir: string): Promise<string[]> {
  const broken: string[] = [];
  for (const job_id of await runFolders(data_dir)) {
    const [job] = await db.asOwner<{ status: string }>('SELECT status FROM lowrank.training_jobs WHERE id = $1', [job_id]);
    if (job === undefined || ['initializing', 'running'].includes(job.status)) continue;
    for (const attempt of await readdir(join(data_dir, 'runs', job_id))) {
      const path = join(data_dir, 'runs', job_id, attempt, 'outputs/events.jsonl');
      const text = await readFile(path, 'utf8').catch(() => null);
      if (text === null) continue;
      const told = new Map<number, string>();
      let last = 0;
      for (const line of text.split('\n').slice(0, -1)) {
        const parsed = parseTrainerLine(line);
        if (!parsed.ok || parsed.event.seq <= last) continue;
        last = parsed.event.seq;
        if (parsed.event.type !== 'metric') continue;
        const { seq, step, loss } = parsed.event;
        told.set(seq, `${seq} ${step} ${loss == null ? null : Math.fround(loss)}`);
      }
      const rows = await db.asOwner<{ seq: number; step: number; loss: number | null }>(
        'SELECT seq, step, loss FROM lowrank.metrics_points WHERE job_id = $1 AND attempt = $2 ORDER BY seq',
        [job_id, Number(attempt)],
      );
      const stored = rows.map((row) => `${row.seq} ${row.step} ${row.loss === null ? null : Math.fround(row.loss)}`);
      if (stored.join('\n') !== [...told.values()].join('\n')) {
        broken.push(`points of ${job_id}:${attempt} differ: ${stored.length} stored, ${told.size} told`);
      }
    }
  }
  return broken;
}

/** Artifacts and pictures whose files are not there as their rows say, and files in storage that belong to no row. */
async function brokenArtifacts(db: TestDatabase, data_dir: string): Promise<string[]> {
  const broken: string[] = [];
  const jobs = await runFolders(data_dir);
  const rows = await db.asOwner<{ id: string; storage_path: string; files: { path: string; sha256: string; bytes: number }[] }>(
    'SELECT id, storage_path, files FROM lowrank.model_artifacts WHERE job_id = ANY($1)',
    [jobs],
  );
  const known = new Set(rows.map((row) => row.storage_path));
  for (const row of rows) {
    for (const file of row.files) {
      const data = await readFile(join(data_dir, 'storage', row.storage_path, file.path)).catch(() => null);
      const sum = data === null ? 'absent' : createHash('sha256').update(data).digest('hex');
      if (sum !== file.sha256) broken.push(`artifact ${row.id}: ${file.path} is ${sum}`);
    }
  }
  const drawn = await db.asOwner<{ user_id: string; job_id: string; seq: number; sha256: string }>(
    `SELECT user_id, job_id, seq, sha256 FROM lowrank.sample_images WHERE status = 'kept' AND job_id = ANY($1)`,
    [jobs],
  );
  for (const { user_id, job_id, seq, sha256 } of drawn) {
    const data = await readFile(join(data_dir, 'storage', user_id, job_id, sampleImageFile(seq))).catch(() => null);
    const sum = data === null ? 'absent' : createHash('sha256').update(data).digest('hex');
    if (sum !== sha256) broken.push(`picture ${seq} of job ${job_id} is ${sum}`);
  }
  const named = await db.asOwner<{ id: string }>(
    'SELECT id FROM lowrank.datasets UNION ALL SELECT id FROM lowrank.base_models UNION ALL SELECT job_id FROM lowrank.sample_images',
  );
  const named_ids = new Set(named.map((row) => row.id));
  for (const owner of await readdir(join(data_dir, 'storage')).catch(() => [])) {
    for (const resource of await readdir(join(data_dir, 'storage', owner)).catch(() => [])) {
      if (owner.startsWith('.') || named_ids.has(resource) || known.has(`${owner}/${resource}`)) continue;
      broken.push(`storage holds ${owner}/${resource}, which no row knows`);
    }
  }
  return broken;
}
