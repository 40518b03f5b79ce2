import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { imageShapeOfRow, isShapeRead, shapeOfRow } from '#/domain/foresight/models/stored-shape.ts';
import { env } from '#/env.ts';
import type { Context } from '#/services/context.ts';
import { createProject } from '#/services/projects/create-project.ts';
import { connectStorage } from '#/storage/connect-storage.ts';
import { localFolder } from '#/storage/local-folder.ts';
import { useDatabase } from '../../../test/database.ts';
import { addJob, addPerson } from '../../../test/factories.ts';
import { safetensors, TINY_CONFIG, tinyModelFiles, tinyPipelineFiles, writeFolder } from '../../../test/model-folder.ts';
import { deleteModel } from './delete-model.ts';
import { getModel, listModels } from './list-models.ts';
import { modelFolder } from './model-folder.ts';
import { registerLocalModel } from './register-local-model.ts';
import { weightsChecksum } from './weights-checksum.ts';

const db = useDatabase();
const JSON_OF = (value: unknown) => JSON.stringify(value);
let folder: string;
let allowed: string;
let admin: Context;
let user: Context;
let count = 0;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lowrank-models-')));
  allowed = join(folder, 'allowed');
  mkdirSync(allowed);
  env.LOWRANK_MODEL_FOLDERS = [allowed];
  connectStorage(localFolder(join(folder, 'storage')));
});
afterAll(() => {
  env.LOWRANK_MODEL_FOLDERS = [];
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await db.asOwner('TRUNCATE identity.users, lowrank.base_models CASCADE');
  admin = { user_id: await addPerson(db, { role: 'administrator' }), role: 'administrator' };
  user = { user_id: await addPerson(db), role: 'user' };
});

const model = (changes: Record<string, Buffer | string | null> = {}) => {
  const files = { ...tinyModelFiles(), ...changes };
  const kept = Object.fromEntries(Object.entries(files).filter(([, content]) => content !== null)) as Record<
    string,
    Buffer | string
  >;
  return writeFolder(join(allowed, `model-${++count}`), kept);
};
const register = (path: string, ctx = admin) => registerLocalModel(ctx, { path });
const codeOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (caught: { code: string; details: { code: string }[] }) => caught,
  );
  return error?.details[0]?.code ?? error?.code;
};

describe('the shape of a model', () => {
  const LLAMA = { ...TINY_CONFIG, num_attention_heads: 2, intermediate_size: 16 };
  const shapeNow = async (id: string) => (await getModel(user, id)).shape;

  test('is kept with it at its registration, and is null where its fields tell none', async () => {
    const { model: known } = await register(model({ 'config.json': JSON_OF(LLAMA) }));
    expect(shapeOfRow(known.shape)).toMatchObject({ family: 'llama', hidden: 8, vocab: 100 });
    const { model: strange } = await register(model());
    expect(strange.shape).toEqual({ version: expect.any(Number), shape: null });
  });

  test('that an earlier release did not read is read when its files are', async () => {
    const { model: row } = await register(model({ 'config.json': JSON_OF(LLAMA) }));
    for (const earlier of [null, JSON_OF({ version: 0, shape: {} })]) {
      await db.asOwner('UPDATE lowrank.base_models SET shape = $2 WHERE id = $1', [row.id, earlier]);
      expect(shapeOfRow(await shapeNow(row.id))).toBeNull();
      await modelFolder(row.id);
      expect(await shapeNow(row.id)).toEqual(row.shape);
    }
  });
});

describe('a local pipeline', () => {
  const pipeline = (changes: Record<string, Buffer | string | null> = {}, index: Record<string, unknown> = {}) => {
    const files = Object.entries({ ...tinyPipelineFiles(index), ...changes }).filter(([, content]) => content !== null);
    return writeFolder(join(allowed, `pipeline-${++count}`), Object.fromEntries(files) as Record<string, Buffer | string>);
  };

  test('is registered with the facts of its components: its size is that of all, its parameters are of what is trained', async () => {
    const { model: row } = await register(pipeline());
    expect(row).toMatchObject({
      status: 'ready',
      modality: 'image',
      family: 'stable-diffusion',
      architecture: 'StableDiffusionPipeline',
      params: 420,
      dtype: 'float16',
      vocab_size: 300,
      context_length: null,
      trainable: true,
      size_bytes: expect.any(Number),
    });
    expect(imageShapeOfRow(row.shape)).toEqual({ kind: 'stable-diffusion', denoiser: 420, encoders: 30, vae: 10, side: 512 });
    const weights = row.metadata.weights as { path: string }[];
    expect(weights.map(({ path }) => path)).toContain('unet/diffusion_pytorch_model.safetensors');
    const { path } = await modelFolder(row.id);
    truncateSync(join(path, 'vae/diffusion_pytorch_model.safetensors'), 8);
    expect(await codeOf(modelFolder(row.id))).toBe('base_model_not_ready');
  });

  test('that has no recipe is registered, and says why it is not trained', async () => {
    const { model: row } = await register(pipeline({}, { _class_name: 'KolorsPipeline' }));
    expect([row.status, row.trainable, row.status_reason?.code]).toEqual(['ready', false, 'architecture_not_trainable']);
  });

  test.each<[string, Record<string, Buffer | string | null>, Record<string, unknown>, string]>([
    ['code of its own', {}, { unet: ['my_unet', 'OwnUNet'] }, 'remote_code_not_allowed'],
    [
      'a component with code of its own',
      { 'vae/config.json': '{"auto_map":{"AutoModel":"x.Y"}}' },
      {},
      'remote_code_not_allowed',
    ],
    [
      'a component with attention from the Hub',
      { 'text_encoder/config.json': '{"text_config":{"_attn_implementation":"evil/kernel"}}' },
      {},
      'remote_code_not_allowed',
    ],
    ['an adapter beside a component', { 'text_encoder/adapter_config.json': '{}' }, {}, 'invalid_config'],
    ['a component that is not there', {}, { prior: ['diffusers', 'PriorTransformer'] }, 'weights_missing'],
    ['a component without a configuration', { 'vae/config.json': null }, {}, 'invalid_config'],
    ['pickled weights', { 'unet/diffusion_pytorch_model.safetensors': null, 'unet/x.bin': 'x' }, {}, 'unsafe_model_format'],
    ['broken weights', { 'unet/diffusion_pytorch_model.safetensors': 'pickle' }, {}, 'invalid_safetensors'],
  ])('with %s is refused', async (_, changes, index, code) => {
    expect(await codeOf(register(pipeline(changes, index)))).toBe(code);
  });
});

describe('a local model', () => {
  test('is registered in place with the facts of its files', async () => {
    const path = model();
    const { model: row, created } = await register(path);
    expect(created).toBe(true);
    expect(row).toMatchObject({
      status: 'ready',
      name: `model-${count}`,
      local_path: path,
      storage_path: null,
      family: 'llama',
      architecture: 'LlamaForCausalLM',
      params: 820,
      params_b: expect.closeTo(820 / 1e9, 15),
      dtype: 'bfloat16',
      context_length: 512,
      hidden_size: 8,
      num_layers: 2,
      vocab_size: 100,
      trainable: true,
      quantized: false,
      has_chat_template: true,
      checksum: createHash('sha256')
        .update(readFileSync(join(path, 'model.safetensors')))
        .digest('hex'),
      status_reason: null,
    });
    expect(await modelFolder(row.id)).toEqual({ path, id: row.name, revision: null, context_length: 512 });
    expect(isShapeRead(row.shape)).toBe(true);
  });

  test('has the licence that its card names, and is taken whatever its card is', async () => {
    const licensed = async (card: string) => (await register(model({ 'README.md': card }))).model.license;
    expect(await licensed('---\nlicense: apache-2.0\n---\n# Tiny')).toBe('apache-2.0');
    expect(await licensed(`---\nlicense: mit\n---\n${'long '.repeat(1_000_000)}`)).toBe('mit');
    expect(await licensed('---\nlicense: [\n---')).toBeNull();
    expect((await register(model())).model.license).toBeNull();
    const outside = writeFolder(join(folder, 'elsewhere'), { 'README.md': '---\nlicense: mit\n---\n' });
    const linked = model();
    symlinkSync(join(outside, 'README.md'), join(linked, 'README.md'));
    const in_place = model();
    mkdirSync(join(in_place, 'README.md'));
    for (const path of [linked, in_place]) expect((await register(path)).model.license).toBeNull();
  });

  test('in shards is counted over all of them', async () => {
    const map = {
      a: 'model-00001-of-00002.safetensors',
      b: 'model-00002-of-00002.safetensors',
      c: 'model-00001-of-00002.safetensors',
    };
    const shards = { [map.a]: safetensors({ a: [10], c: [5] }, 'F32', 4), [map.b]: safetensors({ b: [7] }) };
    const { model: row } = await register(
      model({ 'model.safetensors': null, 'model.safetensors.index.json': JSON_OF({ weight_map: map }), ...shards }),
    );
    expect(row).toMatchObject({ status: 'ready', params: 22, dtype: 'float32' });
    const sums = Object.entries(shards).map(([path, content]) => ({
      path,
      sha256: createHash('sha256').update(content).digest('hex'),
    }));
    expect(row.checksum).toBe(weightsChecksum(sums.reverse()));
  });

  test('that is narrowed is another administrator’s own beside it, and stays narrowed when its weights change', async () => {
    const { id: project_id } = await createProject(admin, { name: 'P', description: '' });
    const path = model();
    const mine = await registerLocalModel(admin, { path, project_id });
    const second: Context = { user_id: await addPerson(db, { role: 'administrator' }), role: 'administrator' };
    const theirs = await register(path, second);
    expect([theirs.created, theirs.model.narrowed]).toEqual([true, false]);
    await deleteModel(second, theirs.model.id);
    writeFileSync(join(path, 'model.safetensors'), safetensors({ other: [9] }));
    const anew = await register(path);
    expect(anew.created && anew.model.id !== mine.model.id).toBe(true);
    expect(anew.model).toMatchObject({ project_id, narrowed: true });
  });

  test('registered twice, also at once, is one', async () => {
    const path = model();
    const answers = await Promise.all(Array.from({ length: 5 }, () => register(path)));
    expect(new Set(answers.map((answer) => answer.model.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.created)).toHaveLength(1);
    const link = join(allowed, `link-${count}`);
    symlinkSync(path, link);
    expect(await register(link)).toMatchObject({ created: false, model: { id: answers[0]?.model.id } });
  });

  test('whose weights were exchanged is another one; the old one is not used any more', async () => {
    const path = model();
    const { model: old } = await register(path);
    writeFileSync(join(path, 'model.safetensors'), safetensors({ a: [30] }));
    await expect(modelFolder(old.id)).rejects.toMatchObject({ code: 'base_model_not_ready' });
    const { model: next, created } = await register(path);
    expect([created, next.id === old.id, next.params]).toEqual([true, false, 30]);
    await expect(getModel(admin, old.id)).rejects.toMatchObject({ code: 'not_found' });
    expect((await modelFolder(next.id)).path).toBe(path);
  });

  test('is for administrators, and only below an allowed folder', async () => {
    const path = model();
    await expect(register(path, user)).rejects.toMatchObject({ code: 'forbidden' });
    const outside = writeFolder(join(folder, `outside-${count}`), tinyModelFiles());
    const link = join(allowed, `escape-${count}`);
    symlinkSync(outside, link);
    const neighbour = writeFolder(`${allowed}-neighbour`, tinyModelFiles());
    for (const wrong of [outside, link, neighbour, `${path}/../../outside-${count}`, join(allowed, 'absent'), '/etc', '/'])
      expect([wrong, await codeOf(register(wrong))]).toEqual([wrong, 'folder_not_allowed']);
    for (const wrong of ['models/x', './x', '~/x', 'file:///x', `${path}\0`])
      expect(await codeOf(register(wrong))).toBe('invalid_path');
  });

  test('whose file is a link out of the allowed folders is refused, one beside it is followed', async () => {
    const blob = writeFolder(join(folder, 'secret'), { blob: JSON_OF(TINY_CONFIG) });
    const path = model({ 'config.json': null });
    symlinkSync(join(blob, 'blob'), join(path, 'config.json'));
    expect(await codeOf(register(path))).toBe('invalid_config');
    const inside = writeFolder(join(allowed, 'blobs'), { blob: JSON_OF(TINY_CONFIG) });
    const cached = model({ 'config.json': null });
    symlinkSync(join(inside, 'blob'), join(cached, 'config.json'));
    expect((await register(cached)).model.status).toBe('ready');
  });

  test.each<[string, string, Record<string, Buffer | string | null>]>([
    ['no config.json', 'invalid_config', { 'config.json': null }],
    ['a config.json that is not JSON', 'invalid_config', { 'config.json': '{' }],
    ['a config.json that is no object', 'invalid_config', { 'config.json': '[]' }],
    ['a config.json without end', 'invalid_config', { 'config.json': '['.repeat(200_000) }],
    ['a config.json of 17 MB', 'invalid_config', { 'config.json': `{"x":"${'x'.repeat(17 * 1024 * 1024)}"}` }],
    ['remote code', 'remote_code_not_allowed', { 'config.json': JSON_OF({ ...TINY_CONFIG, auto_map: { AutoModel: 'm.X' } }) }],
    [
      'attention from the Hub',
      'remote_code_not_allowed',
      { 'config.json': JSON_OF({ ...TINY_CONFIG, attn_implementation: 'evil/kernel' }) },
    ],
    ['an adapter beside it', 'invalid_config', { 'adapter_config.json': JSON_OF({ peft_type: 'LORA' }) }],
    ['a tokenizer with remote code', 'remote_code_not_allowed', { 'tokenizer_config.json': JSON_OF({ auto_map: ['t.T'] }) }],
    ['pickled weights alone', 'unsafe_model_format', { 'model.safetensors': null, 'pytorch_model.bin': 'x' }],
    ['a GGUF file alone', 'weights_missing', { 'model.safetensors': null, 'model-Q4.gguf': 'GGUF' }],
    ['no weights', 'weights_missing', { 'model.safetensors': null }],
    ['a pickle called safetensors', 'invalid_safetensors', { 'model.safetensors': Buffer.from('80049500000000000000', 'hex') }],
    ['cut weights', 'invalid_safetensors', { 'model.safetensors': safetensors({ a: [100] }).subarray(0, -1) }],
    ['weights of nothing', 'invalid_safetensors', { 'model.safetensors': '' }],
    [
      'an index that leads out',
      'invalid_safetensors',
      { 'model.safetensors.index.json': JSON_OF({ weight_map: { a: '../x.safetensors' } }) },
    ],
    [
      'an index with a missing shard',
      'weights_missing',
      { 'model.safetensors.index.json': JSON_OF({ weight_map: { a: 'model-1.safetensors' } }) },
    ],
    ['an empty index', 'weights_missing', { 'model.safetensors.index.json': '{"weight_map":{}}' }],
  ])('with %s is refused as %s and leaves no row', async (_, code, changes) => {
    expect(await codeOf(register(model(changes)))).toBe(code);
    expect((await listModels(admin, { limit: 10, offset: 0 })).total).toBe(0);
  });

  test.each<[string, string, Record<string, Buffer | string | null>]>([
    ['an encoder', 'architecture_not_trainable', { 'config.json': JSON_OF({ ...TINY_CONFIG, architectures: ['BertModel'] }) }],
    [
      'a quantized model',
      'quantized_not_trainable',
      { 'config.json': JSON_OF({ ...TINY_CONFIG, quantization_config: { bits: 4 } }) },
    ],
    ['a model without tokenizer', 'tokenizer_missing', { 'tokenizer.json': null }],
  ])('%s is registered and says why it cannot be trained (%s)', async (_, code, changes) => {
    expect((await register(model(changes))).model).toMatchObject({ status: 'ready', trainable: false, status_reason: { code } });
  });

  test('of many bytes is summed by the worker', async () => {
    const path = model({ 'model.safetensors': null });
    const header = Buffer.from(JSON_OF({ a: { dtype: 'U8', shape: [80_000_000], data_offsets: [0, 80_000_000] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(join(path, 'model.safetensors'), Buffer.concat([length, header]));
    truncateSync(join(path, 'model.safetensors'), 8 + header.length + 80_000_000);
    expect((await register(path)).model).toMatchObject({ status: 'fetching', checksum: null, params: 80_000_000 });
    await register(path);
    expect((await listModels(admin, { limit: 10, offset: 0 })).total).toBe(1);
  });
});

describe('the registry', () => {
  test('is read by everybody, filtered and searched', async () => {
    await register(model());
    await register(model({ 'config.json': JSON_OF({ ...TINY_CONFIG, architectures: ['BertModel'], model_type: 'bert' }) }));
    const names = async (query: Parameters<typeof listModels>[1]) =>
      (await listModels(user, query)).models.map((row) => row.family);
    const page = { limit: 10, offset: 0 };
    expect(await names(page)).toEqual(['bert', 'llama']);
    expect(await names({ ...page, trainable: true })).toEqual(['llama']);
    expect(await names({ ...page, search: 'BER' })).toEqual(['bert']);
    expect(await names({ ...page, family: 'llama' })).toEqual(['llama']);
    expect(await names({ ...page, servable: true })).toEqual([]);
    expect(await names({ limit: 1, offset: 1 })).toEqual(['llama']);
  });

  test('loses a model by its importer alone, and not while a training needs it', async () => {
    const { model: row } = await register(model());
    await expect(deleteModel(user, row.id)).rejects.toMatchObject({ code: 'forbidden' });
    const job = await addJob(db, admin.user_id, { base_model_id: row.id });
    await expect(deleteModel(admin, row.id)).rejects.toMatchObject({ code: 'conflict' });
    await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = $1`, [job]);
    await deleteModel(admin, row.id);
    await expect(getModel(user, row.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('keeps a folder’s model while a training on its old weights is not over, and takes the new ones then', async () => {
    const path = model();
    const { model: row } = await register(path);
    const job = await addJob(db, user.user_id, { base_model_id: row.id });
    writeFileSync(join(path, 'model.safetensors'), safetensors({ a: [3000] }));
    await expect(register(path)).rejects.toMatchObject({ code: 'conflict', details: [{ code: 'model_in_use' }] });
    expect((await getModel(user, row.id)).checksum).toBe(row.checksum);
    await db.asOwner(`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = $1`, [job]);
    expect((await register(path)).created).toBe(true);
    await expect(getModel(user, row.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('says when the weights of a registered folder are no longer those', async () => {
    const path = model();
    const { model: row } = await register(path);
    appendFileSync(join(path, 'model.safetensors'), 'x');
    await expect(modelFolder(row.id)).rejects.toMatchObject({
      code: 'base_model_not_ready',
      message: expect.stringContaining('has changed'),
    });
    rmSync(path, { recursive: true });
    await expect(modelFolder(row.id)).rejects.toMatchObject({ message: expect.stringContaining('is gone') });
  });
});
