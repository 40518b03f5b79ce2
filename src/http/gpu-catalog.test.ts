import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findDevice } from '#/domain/foresight/devices/known-devices.ts';
import { factsOfGpu, GPU_DEFAULTS, GPU_ENTRIES_MAX } from '#/domain/gpu-catalog.ts';
import { addCaller, json, noWaiting, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';
import { addBaseModel, addDataset, addRow } from '../../test/factories.ts';

const db = useDatabase();
const api = useApi();
const B300 = { type: 'B300', aliases: ['b3'], hourly_rate: 6.25, tokens_per_second: 5000, memory_gb: 288, like: 'B200' };
let admin: Awaited<ReturnType<typeof addCaller>>;
let user: Awaited<ReturnType<typeof addCaller>>;
beforeAll(async () => {
  admin = await addCaller(db, { role: 'administrator' });
  user = await addCaller(db);
});
beforeEach(async () => {
  await noWaiting(db);
  await db.asOwner('DELETE FROM lowrank.gpu_catalog');
});

const list = async (who = user) => (await (await api.request('/api/gpu-catalog', { headers: who.headers })).json()).gpus;
const entry = async (type: string) => (await list()).find((one: { type: string }) => one.type === type);
const add = (body: unknown = B300, who = admin, more: Record<string, string> = {}) =>
  api.post('/api/gpu-catalog', body, { ...who.headers, ...more });
const change = (type: string, body: unknown, who = admin) =>
  api.request(`/api/gpu-catalog/${type}`, json(body, who.headers, 'PATCH'));
const remove = (type: string, who = admin) => api.request(`/api/gpu-catalog/${type}`, { method: 'DELETE', headers: who.headers });
const codeOf = async (answer: Response) => [answer.status, (await answer.json()).code];

describe('the catalogue', () => {
  test('is what comes along, for every user to see', async () => {
    const told = await list();
    expect(told).toEqual(
      GPU_DEFAULTS.map((one) => ({ ...one, memory_gb: expect.anything(), like: one.type, origin: 'built_in' })).map((one) =>
        one.type === 'Own-GPU' ? { ...one, memory_gb: null, like: null } : one,
      ),
    );
    expect(told.find(({ type }: { type: string }) => type === 'A100-80GB').memory_gb).toBe(85);
    expect((await api.request('/api/gpu-catalog')).status).toBe(401);
  });

  test('tells the cores of the own processor, so that a browser foretells on it as the server does', async () => {
    const [worker_id, device_id] = [crypto.randomUUID(), crypto.randomUUID()];
    await addRow(db, 'lowrank.workers', { id: worker_id, boot_id: 'b', pid: 1, version: '1' });
    const name = 'AMD EPYC, 2 cores';
    await addRow(db, 'lowrank.gpu_devices', { id: device_id, worker_id, kind: 'cpu', uuid: 'cpu', name, memory_mb: 24_000 });
    expect(await entry('CPU')).toMatchObject({ like: 'CPU, 2 cores', memory_gb: 25.2 });
    expect(factsOfGpu(await entry('CPU'))?.fp32_flops).toBe(findDevice(name)?.fp32_flops);
    expect((await change('CPU', { like: 'CPU, 2 cores' })).status).toBe(200);
    await db.asOwner('DELETE FROM lowrank.gpu_devices');
    expect(await entry('CPU')).toMatchObject({ like: 'CPU, 2 cores' });
  });

  test('takes a device from an administrator, once a key', async () => {
    const made = await add(B300, admin, { 'idempotency-key': 'b300' });
    expect([made.status, await made.json()]).toEqual([201, { ...B300, origin: 'added' }]);
    const again = await add(B300, admin, { 'idempotency-key': 'b300' });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect((await list()).filter((one: { type: string }) => one.type === 'B300')).toEqual([{ ...B300, origin: 'added' }]);
    expect((await remove('B300')).status).toBe(204);
    await db.asOwner(`UPDATE lowrank.idempotency_keys SET answer = NULL WHERE key = 'b300'`);
    expect(await codeOf(await add(B300, admin, { 'idempotency-key': 'b300' }))).toEqual([404, 'not_found']);
  });

  test('is changed by administrators alone', async () => {
    await add();
    for (const answer of [
      await add({ ...B300, type: 'B400', aliases: [] }, user),
      await change('B300', { hourly_rate: 0 }, user),
      await remove('B300', user),
    ])
      expect(await codeOf(answer)).toEqual([403, 'forbidden']);
    expect(await entry('B300')).toEqual({ ...B300, origin: 'added' });
    expect(await entry('B400')).toBeUndefined();
  });

  test('gives one’s own GPU its price, and its own figures back when what was said is removed', async () => {
    const own = await entry('Own-GPU');
    expect(own.hourly_rate).toBe(0);
    const changed = await change('own-gpu', { hourly_rate: 0.15 });
    expect([changed.status, await changed.json()]).toEqual([200, { ...own, hourly_rate: 0.15, origin: 'changed' }]);
    await change('Own-GPU', { tokens_per_second: 3000, aliases: ['workstation'] });
    const aliases = [...own.aliases, 'workstation'];
    expect(await entry('Own-GPU')).toEqual({
      ...own,
      aliases,
      hourly_rate: 0.15,
      tokens_per_second: 3000,
      origin: 'changed',
    });
    expect((await remove('Own-GPU')).status).toBe(204);
    expect(await entry('Own-GPU')).toEqual(own);
  });

  test('is told what a device is like, and what memory it has', async () => {
    const like = await change('Own-GPU', { like: 'nvidia geforce rtx 4090' });
    expect([like.status, await like.json()]).toMatchObject([200, { like: 'RTX-4090', memory_gb: 25.3 }]);
    await change('Own-GPU', { memory_gb: 12 });
    expect(await entry('Own-GPU')).toMatchObject({ like: 'RTX-4090', memory_gb: 12 });
    await change('Own-GPU', { like: null });
    expect(await entry('Own-GPU')).toMatchObject({ like: null, memory_gb: 12 });
    await change('H100', { memory_gb: 40 });
    expect(await entry('H100')).toMatchObject({ like: 'H100', memory_gb: 40, origin: 'changed' });
    await change('H100', { memory_gb: null });
    expect(await entry('H100')).toMatchObject({ like: 'H100', memory_gb: 84.9 });
  });

  test('has one device a name, keeps what comes along, and is not endless', async () => {
    expect(await codeOf(await remove('H100'))).toEqual([409, 'conflict']);
    expect(await codeOf(await add({ ...B300, type: 'h100' }))).toEqual([409, 'conflict']);
    expect(await codeOf(await add({ ...B300, aliases: ['A100'] }))).toEqual([409, 'conflict']);
    expect(await codeOf(await change('L4', { aliases: ['v100'] }))).toEqual([409, 'conflict']);
    expect(await codeOf(await change('B300', { hourly_rate: 1 }))).toEqual([404, 'not_found']);
    expect(await codeOf(await remove('B300'))).toEqual([404, 'not_found']);
    await db.asOwner(
      `INSERT INTO lowrank.gpu_catalog (type, hourly_rate, tokens_per_second) SELECT 'G' || i, 1, 1 FROM generate_series(1, $1::int) i`,
      [GPU_ENTRIES_MAX],
    );
    expect(await codeOf(await add())).toEqual([409, 'conflict']);
    expect((await remove('G1')).status).toBe(204);
    expect((await add()).status).toBe(201);
  });

  test('gets a name once when many administrators give it at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => add({ ...B300, type: at % 2 === 0 ? 'B300' : 'b300', aliases: [`alias-${at}`] })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array(11).fill(409)]);
  });

  test.each([
    [{ ...B300, type: 'B 300' }, 'type', 'invalid_format'],
    [{ ...B300, type: '../B300' }, 'type', 'invalid_format'],
    [{ ...B300, hourly_rate: -1 }, 'hourly_rate', 'too_small'],
    [{ ...B300, hourly_rate: 0.005 }, 'hourly_rate', 'invalid'],
    [{ ...B300, hourly_rate: '6' }, 'hourly_rate', 'invalid_type'],
    [{ ...B300, tokens_per_second: 0 }, 'tokens_per_second', 'too_small'],
    [{ ...B300, tokens_per_second: 1.5 }, 'tokens_per_second', 'invalid_type'],
    [{ ...B300, memory_gb: 0 }, 'memory_gb', 'too_small'],
    [{ ...B300, memory_gb: 24.55 }, 'memory_gb', 'invalid'],
    [{ ...B300, like: 'Voodoo2' }, 'like', 'invalid'],
    [{ ...B300, aliases: ['a b'] }, 'aliases.0', 'invalid_format'],
    [{ ...B300, price: 1 }, 'price', 'unknown_field'],
    [{ type: 'B300', tokens_per_second: 1 }, 'hourly_rate', 'required'],
  ])('refuses %j', async (body, path, code) => {
    const told = await (await add(body)).json();
    expect(told.details).toEqual([{ path, code, message: expect.any(String) }]);
  });

  test('refuses a change of nothing', async () => {
    expect((await change('H100', {})).status).toBe(400);
  });
});

describe('what is submitted', () => {
  let body: Record<string, unknown>;
  beforeAll(async () => {
    body = { dataset_id: await addDataset(db, user.user_id), base_model_id: await addBaseModel(db), preset_id: 'fast' };
  });
  const submit = async (gpu_config?: unknown) => {
    const answer = await api.post('/api/jobs', gpu_config === undefined ? body : { ...body, gpu_config }, user.headers);
    return { status: answer.status, ...(await answer.json()) };
  };

  test('is priced by the catalogue as it stands, and keeps its price', async () => {
    expect((await submit({ type: 'B300', count: 1 })).status).toBe(400);
    await add();
    const { data } = await submit({ type: 'b3', count: 2 });
    expect(data).toMatchObject({
      gpu_config: { type: 'B300', count: 2 },
      config: { gpu: { type: 'B300', count: 2, hourly_rate: 6.25, tokens_per_second: 5000 } },
    });
    await change('B300', { hourly_rate: 999 });
    const later = await (await api.request(`/api/jobs/${data.id}`, { headers: user.headers })).json();
    expect(later.data).toEqual(data);
    const dear = await submit({ type: 'B300', count: 2 });
    expect(dear.data.estimated_total_cost).toBeGreaterThan(data.estimated_total_cost);
  });

  test('without a device gets the machine’s own: its GPU where it has one, else its processor', async () => {
    expect((await submit()).data.gpu_config).toEqual({ type: 'CPU', count: 1 });
    await db.asOwner(`INSERT INTO lowrank.workers (id, boot_id, pid, version) VALUES ('host', 'b', 1, '1')`);
    await db.asOwner(
      `INSERT INTO lowrank.gpu_devices (worker_id, kind, uuid, name, memory_mb) VALUES ('host', 'gpu', 'GPU-1', 'NVIDIA', 1)`,
    );
    expect((await submit()).data.gpu_config).toEqual({ type: 'Own-GPU', count: 1 });
    await db.asOwner(`UPDATE lowrank.gpu_devices SET quarantined_at = now()`);
    expect((await submit()).data.gpu_config).toEqual({ type: 'CPU', count: 1 });
    await db.asOwner('DELETE FROM lowrank.workers');
  });
});
