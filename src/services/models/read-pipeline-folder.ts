/** Reads what a diffusers pipeline's own files say: its index, each component's configuration, the headers of its weights. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { storedPipelineShape } from '#/domain/foresight/models/stored-shape.ts';
import {
  type ComponentConfig,
  factsOfPipeline,
  PIPELINE_INDEX,
  type PipelineComponent,
  type ReadComponent,
  readComponentConfig,
  readPipelineIndex,
  whyPipelineNotTrainable,
} from '#/domain/image-pipeline.ts';
import { mainDtype, remoteCode } from '#/domain/model-facts.ts';
import {
  type ModelFolder,
  type ReadWeights,
  Refused,
  readJson,
  readLicense,
  readWeights,
  refuseAdapter,
  weightNames,
} from './model-files.ts';

interface Read {
  component: ReadComponent;
  kept: ReadWeights;
}

const NO_WEIGHTS: ReadWeights = { weights: [], params: 0, params_by_dtype: {} };

/** A folder with a `model_index.json`. Throws `Refused`. */
export async function readPipeline(folder: string, roots: string[]): Promise<ModelFolder> {
  const index = await readJson(folder, PIPELINE_INDEX, roots);
  const told = readPipelineIndex(index?.value);
  if (!told.ok) throw new Refused(told.refusal.code, told.refusal.message);
  const { pipeline } = told;
  const read: Read[] = [];
  for (const component of pipeline.components) read.push(await readComponent(folder, component, roots));
  const components = read.map(({ component }) => component);
  const { facts, denoiser, image } = factsOfPipeline(pipeline, components);
  const { params, params_by_dtype } = read.find(({ component }) => component.name === denoiser)?.kept ?? NO_WEIGHTS;
  const weights = read.flatMap(({ kept }) => kept.weights);
  return {
    ...facts,
    modality: 'image',
    shape: storedPipelineShape(image),
    params,
    dtype: mainDtype(params_by_dtype),
    has_chat_template: false,
    license: await readLicense(folder, roots),
    weights,
    size_bytes: weights.reduce((sum, file) => sum + file.bytes, 0),
    not_trainable: whyPipelineNotTrainable(pipeline, components, facts.quantized),
  };
}

/** Throws `Refused` for code of the model's own, and for weights that are missing, broken or pickled. */
async function readComponent(folder: string, told: PipelineComponent, roots: string[]): Promise<Read> {
  const { name, weights: stem } = told;
  const files = await readdir(join(folder, name)).catch(() => null);
  if (files === null) throw new Refused('weights_missing', `its component ${name} is missing`);
  refuseAdapter(files, `its component ${name}`);
  const config = await readConfig(folder, `${name}/config.json`, roots);
  await readConfig(folder, `${name}/tokenizer_config.json`, roots);
  if (stem === null) return { component: { ...told, config, params: 0, files }, kept: NO_WEIGHTS };
  if (config === null) throw new Refused('invalid_config', `its component ${name} has no config.json`);
  const kept = await readWeights(folder, await weightNames(folder, { stem, within: `${name}/`, names: files }, roots), roots);
  return { component: { ...told, config, params: kept.params, files }, kept };
}

/** null where there is none. */
async function readConfig(folder: string, name: string, roots: string[]): Promise<ComponentConfig | null> {
  const file = await readJson(folder, name, roots);
  if (file === null) return null;
  const config = readComponentConfig(file.value);
  if (config === null) throw new Refused('invalid_config', `its ${name} is not an object of JSON`);
  const code = remoteCode(name, file.value);
  if (code !== null) throw new Refused(code.code, code.message);
  return config;
}
