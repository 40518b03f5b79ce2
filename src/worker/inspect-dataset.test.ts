import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UploadOptions } from '#/domain/dataset-options.ts';
import { withoutReport } from '#/domain/dataset-report.ts';
import { env } from '#/env.ts';
import type { Context } from '#/services/context.ts';
import { claimDatasetCheck, finishDatasetCheck, renewDatasetCheck } from '#/services/datasets/check-claim.ts';
import { deleteDataset } from '#/services/datasets/delete-dataset.ts';
import { getDataset } from '#/services/datasets/get-dataset.ts';
import { updateDataset } from '#/services/datasets/update-dataset.ts';
import { uploadDataset } from '#/services/datasets/upload-dataset.ts';
import { registerLocalModel } from '#/services/models/register-local-model.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addPerson } from '../../test/factories.ts';
import { tinyModelFiles, writeFolder } from '../../test/model-folder.ts';
import { inspectNextDataset } from './inspect-dataset.ts';

const db = useDatabase();
let folder: string;
let owner: Context;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lowrank-checks-'));
  connectStorage(localFolder(join(folder, 'storage')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users CASCADE');
  owner = { user_id: await addPerson(db), role: 'user' };
});

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
const upload = async (text: string, options: Record<string, string> = {}) =>
  (await uploadDataset(owner, { options: UploadOptions.parse(options), content: bytes(text), declared_bytes: null })).dataset.id;
const notices = () =>
  db.asOwner<{ type: string; message: string }>('SELECT type, message FROM lowrank.notifications ORDER BY created_at');
const pair = (prompt: string) => `${JSON.stringify({ prompt, completion: 'yes' })}\n`;
const rows = (count: number) => Array.from({ length: count }, (_, at) => pair(`question ${at}`)).join('');

describe('whose turn it is', () => {
  test('one person’s checks are done one after the other, and keep nobody waiting', async () => {
    const first = await upload(rows(40));
    const second = await upload(rows(41));
    const mine = owner;
    owner = { user_id: await addPerson(db), role: 'user' };
    const others = await upload(rows(42));
    owner = mine;
    const taken = await claimDatasetCheck();
    expect(taken?.dataset.id).toBe(first);
    expect((await claimDatasetCheck())?.dataset.id).toBe(others);
    expect(await claimDatasetCheck()).toBeNull();
    if (taken === null) throw new Error('nothing was taken');
    await finishDatasetCheck(taken.dataset, withoutReport({ code: 'check_failed', message: 'Broken off.' }));
    expect((await claimDatasetCheck())?.dataset.id).toBe(second);
  });
});

describe('by the trainer’s own code', () => {
  test('a sound file becomes ready, counted, shown and told', async () => {
    const id = await upload(rows(40), { file_name: 'sound.jsonl' });
    expect((await getDataset(owner, id)).status).toBe('validating');
    expect(await inspectNextDataset()).toBe(true);
    expect(await getDataset(owner, id)).toMatchObject({
      status: 'ready',
      training_ready: true,
      format: 'prompt_completion',
      num_samples: 40,
      total_training_pairs: 38,
      total_validation_pairs: 2,
      total_tokens: null,
      avg_turns_per_conversation: 2,
      validation_errors: [],
      statistics: { container: 'jsonl', rows_rejected: 0, splits: { train: { rows: 38 }, validation: { rows: 2 } } },
      lease_until: null,
      attempts: 0,
    });
    expect(await notices()).toEqual([{ type: 'dataset_ready', message: 'sound: 38 training pairs' }]);
    expect(await inspectNextDataset()).toBe(false);
  });

  test('a file with broken rows is refused with their lines, and ready without them when they may be left out', async () => {
    const id = await upload(`${pair('a')}{\n${pair('b')}{"prompt":"c"}\n`);
    await inspectNextDataset();
    const refused = await getDataset(owner, id);
    expect(refused).toMatchObject({ status: 'error', training_ready: false });
    expect((refused.validation_errors as { line: number | null }[]).map((row) => row.line)).toEqual([null, 2, 4]);
    expect((await notices())[0]).toMatchObject({ type: 'dataset_error' });

    await updateDataset(owner, id, { invalid_rows: 'skip' });
    await inspectNextDataset();
    expect(await getDataset(owner, id)).toMatchObject({
      status: 'ready',
      version: 2,
      num_samples: 4,
      total_training_pairs: 2,
      statistics: { rows_rejected: 2 },
    });
  });

  test('columns of their own are refused with a mapping to take, which makes the file ready', async () => {
    const id = await upload('{"question":"2+2","answer":"4"}\n');
    await inspectNextDataset();
    const refused = await getDataset(owner, id);
    expect(refused).toMatchObject({
      status: 'error',
      statistics: { suggestion: { mapping: { prompt: 'question', completion: 'answer' } } },
    });
    expect(refused.validation_errors).toEqual([
      expect.objectContaining({ line: null, message: expect.stringContaining('prompt=question,completion=answer') }),
    ]);
    await updateDataset(owner, id, { mapping: { prompt: 'question', completion: 'answer' } });
    await inspectNextDataset();
    expect(await getDataset(owner, id)).toMatchObject({ status: 'ready', format: 'prompt_completion' });
  });

  test('a file that is no text of rows is refused by what it is', async () => {
    const id = await upload('PK\x03\x04zip');
    await inspectNextDataset();
    expect(await getDataset(owner, id)).toMatchObject({ status: 'error', validation_errors: [{ code: 'type_mismatch' }] });
  });

  test('a stored file that changed is not taken for the one that was uploaded', async () => {
    const id = await upload(rows(3));
    appendFileSync(join(folder, 'storage', owner.user_id, id, 'data'), pair('planted'));
    await inspectNextDataset();
    expect(await getDataset(owner, id)).toMatchObject({ status: 'error', validation_errors: [{ code: 'checksum_mismatch' }] });
  });

  test('a stored file that is gone is told as that', async () => {
    const id = await upload(rows(3));
    rmSync(join(folder, 'storage', owner.user_id, id), { recursive: true });
    await inspectNextDataset();
    expect(await getDataset(owner, id)).toMatchObject({ status: 'error', validation_errors: [{ code: 'file_missing' }] });
    expect(readdirSync(join(folder, 'storage/.staging'))).toEqual([]);
  });

  test('tokens are counted and shown as the default model’s training takes them', async () => {
    const path = writeFolder(join(folder, 'models', 'tiny'), tinyModelFiles());
    const make =
      'import sys; from pathlib import Path; sys.path.insert(0, "tests"); import tiny_model; tiny_model.make_tokenizer(Path(sys.argv[1]))';
    execFileSync(env.python, ['-c', make, path], { cwd: join(env.repo, 'trainer') });
    env.LOWRANK_MODEL_FOLDERS = [join(folder, 'models')];
    await registerLocalModel({ user_id: await addPerson(db, { role: 'administrator' }), role: 'administrator' }, { path });
    const id = await upload(rows(20));
    await inspectNextDataset();
    const dataset = await getDataset(owner, id);
    expect(dataset).toMatchObject({ status: 'ready', total_tokens: expect.any(Number), avg_tokens_per_turn: expect.any(Number) });
    expect(dataset.total_tokens).toBeGreaterThan(20);
    expect(dataset.statistics).toMatchObject({ max_seq_length: 512, tokens: { buckets: expect.any(Array) } });
    const [sample] = dataset.sample_data as { segments: { text: string; trained: boolean }[] }[];
    const trained = sample?.segments.filter((segment) => segment.trained).map((segment) => segment.text);
    expect(trained?.join('')).toContain('yes');
    expect(trained?.join('')).not.toContain('question');
    await db.asOwner('DELETE FROM lowrank.base_models');
  });

  test('a default model that cannot be read does not stand in the way', async () => {
    await addBaseModel(db, { local_path: join(folder, 'no-model') });
    const id = await upload(rows(3));
    await inspectNextDataset();
    expect(await getDataset(owner, id)).toMatchObject({ status: 'ready', total_tokens: null });
    await db.asOwner('DELETE FROM lowrank.base_models');
  });
});

describe('under a claim', () => {
  const expire = (id: string) =>
    db.asOwner(`UPDATE lowrank.datasets SET lease_until = now() - interval '1 s' WHERE id = $1`, [id]);
  const verdict = withoutReport({ code: 'x', message: 'x' });

  test('one dataset is checked by one worker, the oldest first', async () => {
    const first = await upload(rows(2));
    await upload(rows(4));
    owner = { user_id: await addPerson(db), role: 'user' };
    const second = await upload(rows(3));
    const claims = await Promise.all(Array.from({ length: 6 }, () => claimDatasetCheck()));
    expect(claims.flatMap((claim) => claim?.dataset.id ?? []).sort()).toEqual([first, second].sort());
    await expire(second);
    await expire(first);
    expect((await claimDatasetCheck())?.dataset.id).toBe(first);
  });

  test('a silent checker is succeeded, and writes nothing when it comes back', async () => {
    const id = await upload(rows(3));
    const silent = await claimDatasetCheck();
    if (silent === null) throw new Error('nothing was claimed');
    await expire(id);
    expect(await inspectNextDataset()).toBe(true);
    await expect(finishDatasetCheck(silent.dataset, verdict)).rejects.toMatchObject({ code: 'fenced' });
    await expect(renewDatasetCheck(silent.dataset)).rejects.toMatchObject({ code: 'fenced' });
    expect((await getDataset(owner, id)).status).toBe('ready');
    expect(await notices()).toHaveLength(1);
  });

  test('a new wish or a deletion in mid-check makes the old check count for nothing', async () => {
    const id = await upload(rows(3));
    const old = await claimDatasetCheck();
    await updateDataset(owner, id, { invalid_rows: 'skip' });
    if (old === null) throw new Error('nothing was claimed');
    await expect(finishDatasetCheck(old.dataset, verdict)).rejects.toMatchObject({ code: 'fenced' });
    const next = await claimDatasetCheck();
    if (next === null) throw new Error('nothing was claimed');
    await deleteDataset(owner, id);
    await expect(finishDatasetCheck(next.dataset, verdict)).rejects.toMatchObject({ code: 'fenced' });
    expect(await notices()).toEqual([]);
    expect(await claimDatasetCheck()).toBeNull();
  });

  test('a worker that stops leaves the dataset to the next at once', async () => {
    const id = await upload(rows(3));
    expect(await inspectNextDataset(AbortSignal.abort())).toBe(true);
    expect(await getDataset(owner, id)).toMatchObject({ status: 'validating', lease_until: null, attempts: 0 });
    await inspectNextDataset();
    expect((await getDataset(owner, id)).status).toBe('ready');
  });

  test('a file that ends its checker every time is given up on, with a word', async () => {
    const id = await upload(rows(3));
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect((await claimDatasetCheck())?.dataset.attempts).toBe(attempt);
      await expire(id);
    }
    expect(await claimDatasetCheck()).toBeNull();
    expect(await getDataset(owner, id)).toMatchObject({ status: 'error', validation_errors: [{ code: 'check_failed' }] });
    expect((await notices())[0]).toMatchObject({ type: 'dataset_error' });
  });
});
