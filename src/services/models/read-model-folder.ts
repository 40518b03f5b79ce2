/** Reads what a model folder's own files say: config, tokenizer, the headers of its weights. Loads no tensor, runs no code. */
import { readdir } from 'node:fs/promises';
import { type StoredShape, storedShape } from '#/domain/foresight/models/stored-shape.ts';
import { PIPELINE_INDEX } from '#/domain/image-pipeline.ts';
import {
  factsOfConfig,
  factsOfTokenizer,
  type ModelRefusal,
  mainDtype,
  remoteCode,
  whyNotTrainable,
} from '#/domain/model-facts.ts';
import { type ModelFolder, Refused, readJson, readLicense, readWeights, refuseAdapter, weightNames } from './model-files.ts';
import { readPipeline } from './read-pipeline-folder.ts';

export type ModelFolderReading = { ok: true; folder: ModelFolder } | { ok: false; refusal: ModelRefusal };

/** Reads the folder; `roots` are real paths that its files may lie below. A model that we refuse is an answer, not an exception. */
export async function readModelFolder(folder: string, roots: string[]): Promise<ModelFolderReading> {
  try {
    const names = await readdir(folder);
    return {
      ok: true,
      folder: names.includes(PIPELINE_INDEX) ? await readPipeline(folder, roots) : await read(folder, names, roots),
    };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

async function read(folder: string, names: string[], roots: string[]): Promise<ModelFolder> {
  const config = await readJson(folder, 'config.json', roots);
  if (config === null) throw new Refused('invalid_config', missingConfig(names));
  refuseAdapter(names, 'its folder');
  const facts = factsOfConfig(config.value);
  if (!facts.ok) throw new Refused(facts.refusal.code, facts.refusal.message);
  const tokenizer_config = await readJson(folder, 'tokenizer_config.json', roots);
  const code = remoteCode('tokenizer_config.json', tokenizer_config?.value);
  if (code !== null) throw new Refused(code.code, code.message);
  const tokenizer = factsOfTokenizer(tokenizer_config?.value);
  const shards = await weightNames(folder, { stem: 'model', within: '', names }, roots);
  const { weights, params, params_by_dtype } = await readWeights(folder, shards, roots);
  const has_tokenizer = names.includes('tokenizer.json');
  const template_file = names.includes('chat_template.jinja') || names.includes('chat_template.json');
  return {
    ...facts.facts,
    modality: 'text',
    shape: storedShape(config.value),
    context_length: facts.facts.context_length ?? tokenizer.model_max_length,
    params,
    dtype: mainDtype(params_by_dtype),
    has_chat_template: tokenizer.has_chat_template || template_file,
    license: await readLicense(folder, roots),
    weights,
    size_bytes: weights.reduce((sum, file) => sum + file.bytes, 0),
    not_trainable: whyNotTrainable(facts.facts, has_tokenizer),
  };
}

function missingConfig(names: string[]): string {
  if (names.some((name) => name.endsWith('.gguf')))
    return 'it is a GGUF model, which cannot be trained: register the original safetensors model';
  if (names.includes('adapter_config.json'))
    return 'it is an adapter, not a base model: register the model that it was trained on';
  return `it has no config.json: give the folder that holds config.json, tokenizer.json and the safetensors weights, or a diffusers pipeline with its ${PIPELINE_INDEX}`;
}

/** The shape in a folder's own files, for a row that has none yet; what cannot be read has none to count with. */
export async function readShape(folder: string, roots: string[]): Promise<StoredShape> {
  const reading = await readModelFolder(folder, roots);
  return reading.ok ? reading.folder.shape : storedShape(null);
}
