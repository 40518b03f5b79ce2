import { describe, expect, test } from 'vitest';
import type { Dataset, DatasetUploaded } from '#/contract/datasets.ts';
import { addCaller, json } from '../../test/api.ts';
import { api, db, owner, stranger, upload, violations } from '../../test/dataset-scene.ts';
import { addBaseModel, addDataset, addJob } from '../../test/factories.ts';

const NO_ID = '00000000-0000-4000-8000-000000000000';

const stored = async (query = '?file_name=rows.jsonl') => (await (await upload(query)).json()) as DatasetUploaded;
describe('a dataset', () => {
  test('is listed, searched, read, renamed and deleted by its owner', async () => {
    const { id } = await stored('?file_name=walk.jsonl&name=The%20walk%20100%25_a');
    const list = async (query: string) =>
      (await (await api.request(`/api/datasets?${query}`, { headers: owner.headers })).json()) as {
        datasets: Dataset[];
        total: number;
      };
    expect((await list('search=walk%20100%25_')).datasets.map((one) => one.id)).toEqual([id]);
    expect((await list('q=WALK')).total).toBe(1);
    expect((await list('search=walk%25a')).total).toBe(0);
    expect((await list('limit=1')).datasets).toHaveLength(1);
    const renamed = await api.request(`/api/datasets/${id}`, json({ name: 'Renamed', description: 'x' }, owner.headers, 'PATCH'));
    expect(await renamed.json()).toMatchObject({ id, name: 'Renamed', description: 'x', version: 1, status: 'validating' });
    expect((await api.request(`/api/datasets/${id}`, { method: 'DELETE', headers: owner.headers })).status).toBe(204);
    for (const method of ['GET', 'DELETE'])
      expect((await api.request(`/api/datasets/${id}`, { method, headers: owner.headers })).status).toBe(404);
    expect((await list('q=Renamed')).total).toBe(0);
  });

  test('of another user is not found, and the answer is that for none', async () => {
    const { id } = await stored();
    const answers = [];
    for (const which of [id, NO_ID])
      for (const init of [{}, { method: 'DELETE' }, json({ name: 'mine' }, {}, 'PATCH')] as RequestInit[]) {
        const answer = await api.request(`/api/datasets/${which}`, {
          ...init,
          headers: { ...(init.headers as Record<string, string>), ...stranger.headers },
        });
        const { request_id, ...body } = (await answer.json()) as Record<string, unknown>;
        answers.push([answer.status, body]);
      }
    expect(answers.slice(0, 3)).toEqual(answers.slice(3));
    expect(answers.every(([status]) => status === 404)).toBe(true);
    expect(await (await api.request('/api/datasets', { headers: stranger.headers })).json()).toMatchObject({
      datasets: expect.not.arrayContaining([expect.objectContaining({ id })]),
    });
    expect((await api.request(`/api/datasets/${id}`, { headers: owner.headers })).status).toBe(200);
  });

  test('is checked again when it is to be read another way', async () => {
    const id = await addDataset(db, owner.user_id, { status: 'error', training_ready: false, claim: 4, attempts: 3 });
    const answer = await api.request(
      `/api/datasets/${id}`,
      json({ mapping: { prompt: 'question' }, invalid_rows: 'skip', format: 'prompt_completion' }, owner.headers, 'PATCH'),
    );
    expect(await answer.json()).toMatchObject({
      status: 'validating',
      version: 2,
      mapping: { prompt: 'question' },
      invalid_rows: 'skip',
      metadata: { requested_format: 'prompt_completion' },
    });
    const [row] = await db.asOwner('SELECT claim, attempts FROM lowrank.datasets WHERE id = $1', [id]);
    expect(row).toEqual({ claim: 5, attempts: 0 });
    const refused = await api.request(
      `/api/datasets/${id}`,
      json({ mapping: { promt: 'x' }, status: 'ready' }, owner.headers, 'PATCH'),
    );
    expect(await violations(refused)).toEqual(['mapping.promt invalid', 'status unknown_field']);
  });

  test('that a training needs is neither deleted nor read another way; a finished one needs nothing', async () => {
    const dataset_id = await addDataset(db, owner.user_id);
    const job = await addJob(db, owner.user_id, { dataset_id });
    const change = () => api.request(`/api/datasets/${dataset_id}`, json({ invalid_rows: 'skip' }, owner.headers, 'PATCH'));
    const remove = () => api.request(`/api/datasets/${dataset_id}`, { method: 'DELETE', headers: owner.headers });
    expect([(await change()).status, (await remove()).status]).toEqual([409, 409]);
    expect((await api.request(`/api/datasets/${dataset_id}`, json({ name: 'New' }, owner.headers, 'PATCH'))).status).toBe(200);
    await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = $1`, [job]);
    expect([(await change()).status, (await remove()).status]).toEqual([200, 204]);
  });

  test('is told apart by tags and facts of its own; what the system keeps stays', async () => {
    const id = await addDataset(db, owner.user_id, { metadata: { source: 'huggingface', requested_format: 'auto', old: 1 } });
    const change = (body: unknown) => api.request(`/api/datasets/${id}`, json(body, owner.headers, 'PATCH'));
    expect(await (await change({ tags: ['a', 'b'], metadata: { old: null, class_prompt: 'a dog' } })).json()).toMatchObject({
      tags: ['a', 'b'],
      metadata: { source: 'huggingface', requested_format: 'auto', class_prompt: 'a dog' },
      version: 1,
      status: 'ready',
    });
    expect(await violations(await change({ metadata: { source: 'mine' } }))).toEqual(['metadata.source invalid']);
    for (const class_prompt of [7, ' ', 'x'.repeat(1001), 'a\u202edog', ['a dog']])
      expect(await violations(await change({ metadata: { class_prompt } }))).toEqual(['metadata.class_prompt invalid']);
    expect((await change({ metadata: { class_prompt: 'x'.repeat(1000) } })).status).toBe(200);
    expect((await (await change({ metadata: { class_prompt: null } })).json()).metadata).not.toHaveProperty('class_prompt');
  });

  test('that was deleted is restored within 30 days, and only by its owner', async () => {
    const id = await addDataset(db, owner.user_id, { name: 'Back again' });
    const restore = (headers: Record<string, string>) => api.request(`/api/datasets/${id}/restore`, { method: 'POST', headers });
    expect((await restore(owner.headers)).status).toBe(409);
    await api.request(`/api/datasets/${id}`, { method: 'DELETE', headers: owner.headers });
    expect((await restore(stranger.headers)).status).toBe(404);
    const answer = await restore(owner.headers);
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ id, name: 'Back again' })]);
    expect((await api.request(`/api/datasets/${id}`, { headers: owner.headers })).status).toBe(200);
    await db.asOwner('UPDATE lowrank.datasets SET deleted_at = now(), purged_at = now() WHERE id = $1', [id]);
    expect((await restore(owner.headers)).status).toBe(404);
  });

  test('that was deleted is not restored beyond the quota', async () => {
    const id = await addDataset(db, owner.user_id, { file_size: 5_000_000_000_000 });
    const call = (path: string, method: string) => api.request(`/api/datasets/${id}${path}`, { method, headers: owner.headers });
    await call('', 'DELETE');
    expect((await call('/restore', 'POST')).status).toBe(413);
  });
});

describe('what can train a model', () => {
  test('is listed with its judgement; the others only where they are asked for', async () => {
    const person = await addCaller(db);
    const model_id = await addBaseModel(db, { has_chat_template: false, context_length: 64 });
    const add = (name: string, fields: Record<string, unknown>) =>
      addDataset(db, person.user_id, { name, num_samples: 20_000, ...fields });
    await add('text', { format: 'text', statistics: { rows_valid: 10, tokens: { max: 60, buckets: [] } } });
    await add('small', { format: 'prompt_completion', num_samples: 9_999 });
    await add('talk', { format: 'chat' });
    await add('pictures', { format: 'text', modality: 'image' });
    await add('broken', { format: 'text', status: 'error', training_ready: false });
    const list = async (query: string, headers = person.headers) =>
      (await (await api.request(`/api/datasets?${query}`, { headers })).json()) as {
        datasets: (Dataset & { compatibility?: { compatible: boolean; warnings: string[]; errors: string[] } })[];
        total: number;
      };
    const fit = await list(`compatible_with_model=${model_id}`);
    expect([fit.total, fit.datasets.map((one) => one.name).sort()]).toEqual([2, ['small', 'text']]);
    expect(fit.datasets.find((one) => one.name === 'text')?.compatibility).toEqual({
      compatible: true,
      warnings: [],
      errors: [],
    });
    expect(fit.datasets.find((one) => one.name === 'small')?.compatibility?.warnings.join()).toMatch(
      /9999 samples.*not counted/s,
    );
    const all = await list(`compatible_with_model=${model_id}&include_incompatible=true`);
    expect(all.total).toBe(5);
    for (const { name, compatibility } of all.datasets)
      expect([name, compatibility?.compatible, compatibility?.errors.length]).toEqual(
        ['text', 'small'].includes(name) ? [name, true, 0] : [name, false, 1],
      );
    expect((await list('limit=1')).datasets[0]).not.toHaveProperty('compatibility');
    const missing = await api.request(`/api/datasets?compatible_with_model=${NO_ID}`, { headers: person.headers });
    expect(missing.status).toBe(404);
    expect(
      (await list(`compatible_with_model=${model_id}&include_incompatible=true`, stranger.headers)).datasets,
    ).not.toContainEqual(expect.objectContaining({ name: 'text' }));
  });

  test('by the list is exactly what has no error by the rule', async () => {
    const person = await addCaller(db);
    const models = [true, false].map((has_chat_template) => addBaseModel(db, { has_chat_template }));
    for (const format of ['chat', 'sharegpt', 'alpaca', 'prompt_completion', 'text', null])
      for (const modality of ['text', 'image'])
        for (const [status, training_ready] of [
          ['ready', true],
          ['ready', false],
          ['error', false],
          ['validating', false],
        ] as const)
          await addDataset(db, person.user_id, { format, modality, status, training_ready });
    const ids = async (query: string) =>
      (
        (await (await api.request(`/api/datasets?limit=500&${query}`, { headers: person.headers })).json()) as {
          datasets: { id: string; compatibility: { compatible: boolean } }[];
        }
      ).datasets;
    for (const model of await Promise.all(models)) {
      const all = await ids(`compatible_with_model=${model}&include_incompatible=true`);
      const listed = await ids(`compatible_with_model=${model}`);
      expect(listed.length).toBeGreaterThan(1);
      expect(listed.map((one) => one.id)).toEqual(all.filter((one) => one.compatibility.compatible).map((one) => one.id));
    }
  });
});
