import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asUser } from '#/db/tenancy.ts';
import { TrainingSpec } from '#/domain/training-spec.ts';
import type { Context } from '#/services/context.ts';
import { obtainHubModel } from '#/services/models/register-hub-model.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addPerson } from '../../../test/factories.ts';
import { brokenInvariants } from '../../../test/invariants.ts';
import { storedShapeOf } from '../../../test/stored-shape.ts';
import { registerWorker } from '../machine/register-worker.ts';
import { cancelJob } from './cancel-job.ts';
import { claimJob } from './claim-job.ts';
import { createJob } from './create-job.ts';
import { getJob } from './get-job.ts';
import { retryJob } from './retry-job.ts';
import { settleModelWait } from './settle-model-wait.ts';

const db = useDatabase();
const HUB = { hf_repo_id: 'acme/new', revision: 'main' };
let folder: string;
let owner: Context;
let dataset_id: string;
let worker_id: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-wait-'));
  connectStorage(localFolder(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models, lowrank.workers CASCADE');
  owner = { user_id: await addPerson(db), role: 'user' };
  dataset_id = await addDataset(db, owner.user_id);
  worker_id = randomUUID();
  await registerWorker({ id: worker_id, boot_id: 'b', pid: 1, version: '0', facts: {} }, [
    { kind: 'gpu', uuid: 'GPU-0', name: 'Test', memory_mb: 1 },
  ]);
});

const spec = (): TrainingSpec =>
  TrainingSpec.parse({
    name: 'By name',
    method: 'lora',
    dataset_id,
    base_model_id: null,
    hub_model: HUB,
    preset_id: 'custom',
    hyperparameters: { learning_rate: 1e-4, batch_size: 4, epochs: null, rank: 16, alpha: 32, dropout: 0 },
    gpu_config: null,
    max_steps: 300,
    seed: 42,
    priority: 0,
    start: true,
  });
const submit = () => createJob(owner, spec());
const claim = () => claimJob(worker_id, 'process', 30_000);
const settleModel = (set: string) => db.asOwner(`UPDATE lowrank.base_models SET ${set}`);
const queued = async () => (await db.asOwner<{ queued: number }>('SELECT queued FROM lowrank.user_queues'))[0]?.queued;
const READY =
  "status = 'ready', trainable = true, context_length = 128, checksum = 'sum', hf_revision = 'c0ffee', local_path = '/x'";

describe('a job whose base model is being fetched', () => {
  test('is out of the queue until the model is there, then planned with what is known of it', async () => {
    await db.asOwner(`INSERT INTO lowrank.settings (key, value) VALUES ('default_limits', '{"cpus": 1}')`);
    const { job } = await submit();
    await db.asOwner(`DELETE FROM lowrank.settings WHERE key = 'default_limits'`);
    expect(job).toMatchObject({ status: 'queued', current_stage: 'fetching_model', total_steps: 300 });
    expect(await queued()).toBe(0);
    expect(await settleModelWait()).toBe(false);
    expect(await claim()).toBeNull();
    await settleModel(READY);
    expect([await settleModelWait(), await settleModelWait()]).toEqual([true, false]);
    expect(await queued()).toBe(1);
    const after = (await getJob(owner, job.id)).job;
    expect(after).toMatchObject({ status: 'queued', current_stage: null, total_steps: 300 });
    expect(after.config).toMatchObject({
      spec: { hub_model: HUB, base_model_id: job.base_model_id },
      plan: { max_seq_length: 128, total_steps: 300 },
      base_model: { hf_repo_id: 'acme/new', revision: 'c0ffee', checksum: 'sum' },
      limits: { cpus: 1 },
      own_device: true,
    });
    expect((await claim())?.job_id).toBe(job.id);
  });

  test('does not keep others of its owner back', async () => {
    await submit();
    const other = await createJob(owner, { ...spec(), hub_model: null, base_model_id: await addBaseModel(db) });
    expect((await claim())?.job_id).toBe(other.job.id);
  });

  test.each([
    ['missing', `status = 'error', status_reason = '{"code": "model_not_found", "message": "there is none"}'`, 'model_not_found'],
    ['gated', `status = 'error', status_reason = '{"code": "gated_model", "message": "it is gated"}'`, 'gated_model'],
    ['not one that we train', `status = 'ready', trainable = false`, 'bad_config'],
  ])('fails with its reason, once, when the model is %s', async (_, set, code) => {
    const { job } = await submit();
    await settleModel(set);
    expect([await settleModelWait(), await settleModelWait()]).toEqual([true, false]);
    expect((await getJob(owner, job.id)).job).toMatchObject({
      status: 'failed',
      error_code: code,
      error_message: expect.stringContaining('acme/new'),
      error_hint: expect.stringMatching(/\.$/),
    });
    expect(await claim()).toBeNull();
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('fails when the model is gone all the same', async () => {
    const other: Context = { user_id: await addPerson(db), role: 'user' };
    const { model } = await asUser(other.user_id, (tx) => obtainHubModel(tx, other, HUB));
    const { job } = await submit();
    await db.asOwner('UPDATE lowrank.base_models SET deleted_at = now() WHERE id = $1', [model.id]);
    expect(await settleModelWait()).toBe(true);
    expect((await getJob(owner, job.id)).job).toMatchObject({ status: 'failed', error_code: 'model_not_found' });
  });

  test('fails when the model turns out not to fit its device, and says what would', async () => {
    const { job } = await createJob(owner, { ...spec(), gpu_config: { type: 'T4', count: 1 } });
    const shape = JSON.stringify(storedShapeOf('Llama-3.1-70B'));
    await db.asOwner(
      `UPDATE lowrank.base_models SET status = 'ready', trainable = true, context_length = 4096, shape = $1 WHERE hf_repo_id = $2`,
      [shape, HUB.hf_repo_id],
    );
    expect(await settleModelWait()).toBe(true);
    const { job: settled } = await getJob(owner, job.id);
    expect(settled).toMatchObject({ status: 'failed', error_code: 'out_of_memory' });
    expect(settled.error_message).toMatch(/^This training does not fit: .* on each T4/);
  });

  test('tries its first steps all the same when that is all that was asked for', async () => {
    const { job } = await createJob(owner, { ...spec(), probe_only: true, gpu_config: { type: 'T4', count: 1 } });
    await db.asOwner(
      `UPDATE lowrank.base_models SET status = 'ready', trainable = true, context_length = 4096, shape = $1 WHERE hf_repo_id = $2`,
      [JSON.stringify(storedShapeOf('Llama-3.1-70B')), HUB.hf_repo_id],
    );
    expect(await settleModelWait()).toBe(true);
    expect((await getJob(owner, job.id)).job).toMatchObject({ status: 'queued', current_stage: null, total_steps: 8 });
  });

  test('can be cancelled, and is left alone then', async () => {
    const { job } = await submit();
    await cancelJob(owner, job.id);
    await settleModel(READY);
    expect(await settleModelWait()).toBe(false);
    expect(await queued()).toBe(0);
  });

  test('that failed fetches the model again when it is retried', async () => {
    const { job } = await submit();
    await settleModel(`status = 'error', status_reason = '{"code": "hub_unreachable", "message": "no answer"}'`);
    await settleModelWait();
    const again = (await retryJob(owner, job.id)).job;
    expect(again).toMatchObject({ status: 'queued', current_stage: 'fetching_model', base_model_id: job.base_model_id });
    expect(await db.asOwner('SELECT status FROM lowrank.base_models')).toEqual([{ status: 'fetching' }]);
  });

  test('is settled once by many who look at the same time', async () => {
    for (let at = 0; at < 5; at++) await submit();
    await settleModel(READY);
    const rounds = Array.from({ length: 4 }, async () => {
      let settled = 0;
      while (await settleModelWait()) settled++;
      return settled;
    });
    expect((await Promise.all(rounds)).reduce((sum, n) => sum + n)).toBe(5);
    expect(await queued()).toBe(5);
    expect(await brokenInvariants(db, [])).toEqual([]);
  });

  test('does not wait when the model is there already', async () => {
    await addBaseModel(db, { hf_repo_id: 'acme/new', hf_requested_revision: 'main' });
    expect((await submit()).job.current_stage).toBeNull();
  });

  test.each([
    ['is broken', `'{"spec": {"hyperparameters": 5}}'`],
    ['is no object', `'null'`],
    ['names a GPU that nobody knows', `jsonb_set(config - 'gpu', '{spec,gpu_config}', 'null')`],
  ])('and whose stored spec %s fails by name, and keeps nobody else’s from being settled', async (_, broken) => {
    const { job } = await submit();
    await db.asOwner(
      `UPDATE lowrank.training_jobs SET config = ${broken}, gpu_config = '{"type": "none such", "count": 1}', queued_at = now() - interval '1 hour'`,
    );
    const other = await submit();
    await settleModel(READY);
    expect([await settleModelWait(), await settleModelWait(), await settleModelWait()]).toEqual([true, true, false]);
    expect((await getJob(owner, job.id)).job).toMatchObject({ status: 'failed', error_code: 'bad_config' });
    expect((await getJob(owner, other.job.id)).job).toMatchObject({ status: 'queued', current_stage: null });
  });
});
