/** Reads what a model folder's own files say: config, tokenizer, the headers of its weights. Loads no tensor, runs no code. */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { formatBytes, MB } from '#/domain/bytes.ts';
import { type StoredShape, storedShape } from '#/domain/foresight/models/stored-shape.ts';
import {
  factsOfConfig,
  factsOfTokenizer,
  type ModelFacts,
  type ModelRefusal,
  mainDtype,
  remoteCode,
  UNSAFE_WEIGHTS,
  whyNotTrainable,
} from '#/domain/model-facts.ts';
import { readSafetensorsHeader, safetensorsHeaderBytes } from '#/domain/model-safetensors.ts';
import { licenseOfCard } from './model-license.ts';

const JSON_BYTES_MAX = 16 * MB;
const INDEX_BYTES_MAX = 64 * MB;
/** Of a card only its beginning counts. */
const CARD_BYTES = 64 * 1024;
const SHARDS_MAX = 1000;
const WEIGHTS_FILE = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}\.safetensors$/;

export interface WeightFile {
  path: string;
  bytes: number;
}

/** Everything that a model's files say, as the registry keeps it. */
export interface ModelFolder extends ModelFacts {
  shape: StoredShape;
  params: number;
  dtype: string | null;
  has_chat_template: boolean;
  /** As its card says it. */
  license: string | null;
  /** Weights first, by name; then the configuration and tokenizer files. */
  weights: WeightFile[];
  size_bytes: number;
  /** Why it cannot be trained, or null when it can. */
  not_trainable: { code: string; message: string } | null;
}

export type ModelFolderReading = { ok: true; folder: ModelFolder } | { ok: false; refusal: ModelRefusal };

class Refused extends Error {
  readonly refusal: ModelRefusal;
  constructor(code: ModelRefusal['code'], message: string) {
    super(message);
    this.refusal = { code, message };
  }
}

/** Opens a file whose real place is below one of `roots` (Hub caches link to blobs beside); null when it is not there. */
async function openWithin(folder: string, name: string, roots: string[]): Promise<FileHandle | null> {
  let real: string;
  try {
    real = await realpath(join(folder, name));
  } catch {
    return null;
  }
  if (!isWithin(real, roots)) throw new Refused('invalid_config', `its ${name} is a link that leads out of the allowed folders`);
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Refused('invalid_config', `its ${name} is not a regular file`);
}

/** True when a real path is one of these folders or lies below one. */
export function isWithin(path: string, roots: string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep));
}

/** Reads the folder; `roots` are real paths that its files may lie below. A model that we refuse is an answer, not an exception. */
export async function readModelFolder(folder: string, roots: string[]): Promise<ModelFolderReading> {
  try {
    return { ok: true, folder: await read(folder, roots) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

async function read(folder: string, roots: string[]): Promise<ModelFolder> {
  const names = await readdir(folder);
  const config = await readJson(folder, 'config.json', roots, JSON_BYTES_MAX);
  if (config === null) throw new Refused('invalid_config', missingConfig(names));
  const facts = factsOfConfig(config.value);
  if (!facts.ok) throw new Refused(facts.refusal.code, facts.refusal.message);
  const tokenizer_config = await readJson(folder, 'tokenizer_config.json', roots, JSON_BYTES_MAX);
  const tokenizer = factsOfTokenizer(tokenizer_config?.value);
  if (tokenizer.remote_code) {
    const refusal = remoteCode('tokenizer_config.json');
    throw new Refused(refusal.code, refusal.message);
  }
  const weights: WeightFile[] = [];
  const params_by_dtype: Record<string, number> = {};
  let params = 0;
  for (const name of await weightNames(folder, names, roots)) {
    const header = await readHeader(folder, name, roots);
    weights.push({ path: name, bytes: header.bytes });
    params += header.params;
    for (const [dtype, count] of Object.entries(header.params_by_dtype))
      params_by_dtype[dtype] = (params_by_dtype[dtype] ?? 0) + count;
  }
  const has_tokenizer = names.includes('tokenizer.json');
  const template_file = names.includes('chat_template.jinja') || names.includes('chat_template.json');
  return {
    ...facts.facts,
    shape: storedShape(config.value),
    context_length: facts.facts.context_length ?? tokenizer.model_max_length,
    params,
    dtype: mainDtype(params_by_dtype),
    has_chat_template: tokenizer.has_chat_template || template_file,
    license: names.includes('README.md') ? await readLicense(folder, roots) : null,
    weights,
    size_bytes: weights.reduce((sum, file) => sum + file.bytes, 0),
    not_trainable: whyNotTrainable(facts.facts, has_tokenizer),
  };
}

/** A card that cannot be read says nothing: no model is refused for it. */
async function readLicense(folder: string, roots: string[]): Promise<string | null> {
  try {
    const file = await openWithin(folder, 'README.md', roots);
    if (file === null) return null;
    try {
      const start = Buffer.alloc(CARD_BYTES);
      const { bytesRead } = await file.read(start, 0, CARD_BYTES, 0);
      return licenseOfCard(start.toString('utf8', 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

function missingConfig(names: string[]): string {
  if (names.some((name) => name.endsWith('.gguf')))
    return 'it is a GGUF model, which cannot be trained: register the original safetensors model';
  if (names.includes('adapter_config.json'))
    return 'it is an adapter, not a base model: register the model that it was trained on';
  if (names.includes('model_index.json')) return 'it is a diffusers pipeline: only language models can be registered so far';
  return 'it has no config.json: give the folder that holds config.json, tokenizer.json and the safetensors weights';
}

async function weightNames(folder: string, names: string[], roots: string[]): Promise<string[]> {
  const index = await readJson(folder, 'model.safetensors.index.json', roots, INDEX_BYTES_MAX);
  if (index === null) {
    if (names.includes('model.safetensors')) return ['model.safetensors'];
    const unsafe = names.find((name) => UNSAFE_WEIGHTS.test(name));
    if (unsafe !== undefined) {
      const way = 'save the model again with save_pretrained(…, safe_serialization=True)';
      throw new Refused(
        'unsafe_model_format',
        `its weights are only there as ${unsafe}, a format that can run code when it is loaded: ${way}`,
      );
    }
    const gguf = names.some((name) => name.endsWith('.gguf')) ? ' (a GGUF file cannot be trained)' : '';
    throw new Refused('weights_missing', `it has no model.safetensors and no model.safetensors.index.json${gguf}`);
  }
  const map =
    index.value !== null && typeof index.value === 'object' && 'weight_map' in index.value ? index.value.weight_map : null;
  const shards = map !== null && typeof map === 'object' ? [...new Set(Object.values(map))].sort() : [];
  if (shards.length === 0 || shards.length > SHARDS_MAX)
    throw new Refused('weights_missing', 'its model.safetensors.index.json names no weights');
  for (const shard of shards) {
    if (typeof shard !== 'string' || !WEIGHTS_FILE.test(shard))
      throw new Refused('invalid_safetensors', 'its index names a file that is no safetensors file beside it');
    if (!names.includes(shard)) throw new Refused('weights_missing', `${shard}, which its index names, is missing`);
  }
  return shards as string[];
}

async function readHeader(folder: string, name: string, roots: string[]) {
  const file = await openWithin(folder, name, roots);
  if (file === null) throw new Refused('weights_missing', `${name} is missing`);
  try {
    const { size } = await file.stat();
    const first = Buffer.alloc(8);
    const { bytesRead } = await file.read(first, 0, 8, 0);
    const length = safetensorsHeaderBytes(first.subarray(0, bytesRead), size);
    if (length === null) throw new Refused('invalid_safetensors', `${name} is no safetensors file`);
    const text = Buffer.alloc(length);
    await file.read(text, 0, length, 8);
    const header = readSafetensorsHeader(text.toString('utf8'), size - 8 - length);
    if (!header.ok) throw new Refused('invalid_safetensors', `${name} is broken: ${header.message}`);
    return { ...header.facts, bytes: size };
  } finally {
    await file.close();
  }
}

async function readJson(folder: string, name: string, roots: string[], bytes_max: number): Promise<{ value: unknown } | null> {
  const file = await openWithin(folder, name, roots);
  if (file === null) return null;
  try {
    if ((await file.stat()).size > bytes_max)
      throw new Refused('invalid_config', `its ${name} is larger than ${formatBytes(bytes_max)}`);
    return { value: JSON.parse(await file.readFile('utf8')) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError)
      throw new Refused('invalid_config', `its ${name} is not JSON`);
    throw error;
  } finally {
    await file.close();
  }
}

/** The shape in a folder's config.json, for a row that has none yet; one that cannot be read has none to count with. */
export async function readShape(folder: string, roots: string[]): Promise<StoredShape> {
  try {
    return storedShape((await readJson(folder, 'config.json', roots, JSON_BYTES_MAX))?.value);
  } catch (error) {
    if (error instanceof Refused) return storedShape(null);
    throw error;
  }
}
