/** How files of a model's folder are opened and read: within the allowed folders, bounded, no tensor loaded, no code run. */
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { formatBytes, MB } from '#/domain/bytes.ts';
import type { StoredShape } from '#/domain/foresight/models/stored-shape.ts';
import { type ModelFacts, type ModelRefusal, UNSAFE_WEIGHTS } from '#/domain/model-facts.ts';
import { readSafetensorsHeader, safetensorsHeaderBytes } from '#/domain/model-safetensors.ts';
import { licenseOfCard } from './model-license.ts';

export const JSON_BYTES_MAX = 16 * MB;
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
  modality: 'text' | 'image';
  shape: StoredShape;
  /** Of what is trained: of a pipeline its denoiser alone. */
  params: number;
  dtype: string | null;
  has_chat_template: boolean;
  /** As its card says it. */
  license: string | null;
  /** By component and name. */
  weights: WeightFile[];
  size_bytes: number;
  /** Why it cannot be trained, or null when it can. */
  not_trainable: { code: string; message: string } | null;
}

/** What a model lacks, or brings that is not taken. */
export class Refused extends Error {
  readonly refusal: ModelRefusal;
  constructor(code: ModelRefusal['code'], message: string) {
    super(message);
    this.refusal = { code, message };
  }
}

/** Throws `Refused` where an adapter lies beside a model's configuration: transformers would put it on the model unasked. */
export function refuseAdapter(names: readonly string[], where: string): void {
  if (names.includes('adapter_config.json'))
    throw new Refused(
      'invalid_config',
      `${where} has an adapter_config.json beside its weights, and that adapter would be put on them unasked: register a model that it is merged into, or take the adapter's files away`,
    );
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

/** A file of JSON; null where there is none. */
export async function readJson(
  folder: string,
  name: string,
  roots: string[],
  bytes_max = JSON_BYTES_MAX,
): Promise<{ value: unknown } | null> {
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

/** Where a model's weights lie: `stem` before the ending, in `within` (a folder below with its slash, or ''), which holds `names`. */
export interface WeightsPlace {
  stem: string;
  within: string;
  names: readonly string[];
}

/** The files of a model's weights, relative to its folder. */
export async function weightNames(folder: string, { stem, within, names }: WeightsPlace, roots: string[]): Promise<string[]> {
  const [whole, index_name] = [`${stem}.safetensors`, `${stem}.safetensors.index.json`];
  const index = await readJson(folder, within + index_name, roots, INDEX_BYTES_MAX);
  if (index === null) {
    if (names.includes(whole)) return [within + whole];
    const unsafe = names.find((name) => UNSAFE_WEIGHTS.test(name));
    if (unsafe !== undefined) {
      const way = 'save the model again with save_pretrained(…, safe_serialization=True)';
      throw new Refused(
        'unsafe_model_format',
        `its weights are only there as ${within}${unsafe}, a format that can run code when it is loaded: ${way}`,
      );
    }
    const gguf = names.some((name) => name.endsWith('.gguf')) ? ' (a GGUF file cannot be trained)' : '';
    throw new Refused('weights_missing', `it has no ${within}${whole} and no ${within}${index_name}${gguf}`);
  }
  const map =
    index.value !== null && typeof index.value === 'object' && 'weight_map' in index.value ? index.value.weight_map : null;
  const shards = map !== null && typeof map === 'object' ? [...new Set(Object.values(map))].sort() : [];
  if (shards.length === 0 || shards.length > SHARDS_MAX)
    throw new Refused('weights_missing', `its ${within}${index_name} names no weights`);
  return shards.map((shard) => {
    if (typeof shard !== 'string' || !WEIGHTS_FILE.test(shard))
      throw new Refused('invalid_safetensors', 'its index names a file that is no safetensors file beside it');
    if (!names.includes(shard)) throw new Refused('weights_missing', `${within}${shard}, which its index names, is missing`);
    return within + shard;
  });
}

export interface ReadWeights {
  weights: WeightFile[];
  params: number;
  params_by_dtype: Record<string, number>;
}

/** What the headers of these files say together. */
export async function readWeights(folder: string, names: string[], roots: string[]): Promise<ReadWeights> {
  const read: ReadWeights = { weights: [], params: 0, params_by_dtype: {} };
  for (const name of names) {
    const header = await readHeader(folder, name, roots);
    read.weights.push({ path: name, bytes: header.bytes });
    read.params += header.params;
    for (const [dtype, count] of Object.entries(header.params_by_dtype))
      read.params_by_dtype[dtype] = (read.params_by_dtype[dtype] ?? 0) + count;
  }
  return read;
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

/** The licence that the model's card names. A card that cannot be read says nothing: no model is refused for it. */
export async function readLicense(folder: string, roots: string[]): Promise<string | null> {
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
