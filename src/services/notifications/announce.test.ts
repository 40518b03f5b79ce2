import { beforeAll, describe, expect, test } from 'vitest';
import { asScheduler } from '#/db/tenancy.ts';
import { withoutReport } from '#/domain/dataset-report.ts';
import { resolveHyperparameters } from '#/domain/hyperparameters.ts';
import type { JobFailure, JobHappening } from '#/domain/job-state.ts';
import { NOTICES, type NotificationType } from '#/domain/notifications.ts';
import type { JobStatus } from '#/domain/statuses.ts';
import { TrainingSpec } from '#/domain/training-spec.ts';
import { claimDatasetCheck, finishDatasetCheck } from '#/services/datasets/check-claim.ts';
import { createJob } from '#/services/jobs/create-job.ts';
import { transitionJob } from '#/services/jobs/transition-job.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addJob, addPerson } from '../../../test/factories.ts';

const db = useDatabase();
let user_id: string;
beforeAll(async () => {
  user_id = await addPerson(db);
});

const told = (what: 'job_id' | 'dataset_id', id: string) =>
  db.asOwner(
    `SELECT type, title, priority, message, action_url, read FROM lowrank.notifications WHERE metadata = jsonb_build_object($1::text, $2::text)`,
    [what, id],
  );
const notice = (type: NotificationType, action_url: string, message: string) => ({
  type,
  ...NOTICES[type],
  message,
  action_url,
  read: false,
});

const failure: JobFailure = { code: 'nan_loss', message: 'The loss became NaN.', hint: null, stack: null };

async function move(status: JobStatus, happening: JobHappening): Promise<string> {
  const id = await addJob(db, user_id, { status, name: 'A run' });
  await asScheduler((tx) => transitionJob(tx, { id, user_id, name: 'A run', status, epoch: 0 }, happening));
  return id;
}

describe('a person is told', () => {
  test('that a training waits, in the transaction that stores it', async () => {
    const dataset_id = await addDataset(db, user_id);
    const base_model_id = await addBaseModel(db);
    const spec = TrainingSpec.parse({
      name: 'Mine',
      method: 'lora',
      dataset_id,
      base_model_id,
      ...resolveHyperparameters('fast', {}),
      gpu_config: null,
      max_steps: null,
      seed: 42,
      priority: 0,
      start: true,
    });
    const ctx = { user_id, role: 'user' as const };
    const { job } = await createJob(ctx, spec);
    expect(await told('job_id', job.id)).toEqual([notice('job_queued', `/jobs/${job.id}`, 'Mine')]);
    const lost = createJob(ctx, spec, { after: () => Promise.reject(new Error('no commit')) });
    await expect(lost).rejects.toThrow('no commit');
    expect(await db.asOwner(`SELECT 1 FROM lowrank.notifications WHERE type = 'job_queued'`)).toHaveLength(1);
  });

  test.each([
    ['initializing', { type: 'started' }, 'job_started', 'A run'],
    ['running', { type: 'completed' }, 'job_completed', 'A run'],
    ['running', { type: 'failed', failure }, 'job_failed', 'A run: The loss became NaN.'],
    ['queued', { type: 'cancelled' }, 'job_cancelled', 'A run'],
  ] satisfies [JobStatus, JobHappening, NotificationType, string][])(
    'what became of a training that was %s',
    async (status, happening, type, message) => {
      await db.asOwner('DELETE FROM lowrank.training_jobs');
      const id = await move(status, happening);
      expect(await told('job_id', id)).toEqual([notice(type, `/jobs/${id}`, message)]);
    },
  );

  test('nothing of a way back into the queue, and nothing of a move that was not made', async () => {
    await db.asOwner('DELETE FROM lowrank.training_jobs');
    expect(await told('job_id', await move('initializing', { type: 'not_started' }))).toEqual([]);
    const id = await addJob(db, user_id, { status: 'running' });
    const stale = { id, user_id, name: 'A run', status: 'running' as const, epoch: 7 };
    await expect(asScheduler((tx) => transitionJob(tx, stale, { type: 'completed' }))).rejects.toMatchObject({ code: 'fenced' });
    expect(await told('job_id', id)).toEqual([]);
  });

  test('what the check of a dataset found', async () => {
    const check = async (name: string) => {
      await addDataset(db, user_id, { name, status: 'validating', training_ready: false });
      const claim = await claimDatasetCheck();
      if (claim === null) throw new Error('no dataset waits');
      return claim.dataset;
    };
    const bad = await check('Bad');
    await finishDatasetCheck(bad, withoutReport({ code: 'check_failed', message: 'It cannot be read.' }));
    expect(await told('dataset_id', bad.id)).toEqual([notice('dataset_error', `/datasets/${bad.id}`, 'Bad: It cannot be read.')]);
    const good = await check('Good');
    const verdict = { ...withoutReport({ code: 'x', message: 'x' }), status: 'ready' as const, total_training_pairs: 1 };
    await finishDatasetCheck(good, verdict);
    expect(await told('dataset_id', good.id)).toEqual([notice('dataset_ready', `/datasets/${good.id}`, 'Good: 1 training pair')]);
  });
});
