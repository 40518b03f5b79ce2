/** What a diffusers pipeline's own files say about it: its model_index.json, and the configuration of each component. */
import * as z from 'zod';
import type { ImageShape } from './foresight/images/image-shape.ts';
import type { ModelFacts, ModelRefusal } from './model-facts.ts';
import { isStorable } from './storable-text.ts';

export const PIPELINE_INDEX = 'model_index.json';

/** Image models that the trainer has a recipe for, by their pipeline. */
export const IMAGE_MODEL_KINDS = ['stable-diffusion', 'sdxl', 'flux'] as const;
export type ImageModelKind = (typeof IMAGE_MODEL_KINDS)[number];

/** A recipe's pipeline: the class of each component that it is trained with, as diffusers and transformers name them. */
interface TrainedPipeline {
  kind: ImageModelKind;
  /** The component whose weights are trained. */
  denoiser: string;
  /** Channels of its input for each of a latent: FLUX packs 2 × 2. One for inpainting has more, under the same class. */
  packs: number;
  components: Record<string, readonly string[]>;
}

const CLIP_TOKENIZERS = ['CLIPTokenizer', 'CLIPTokenizerFast'];
const DIFFUSERS_VAE = ['AutoencoderKL'];

/** Of diffusers' own pipelines, src/diffusers/pipelines/{stable_diffusion,stable_diffusion_xl,flux}. */
const TRAINED: Readonly<Record<string, TrainedPipeline>> = {
  StableDiffusionPipeline: {
    kind: 'stable-diffusion',
    denoiser: 'unet',
    packs: 1,
    components: {
      unet: ['UNet2DConditionModel'],
      vae: DIFFUSERS_VAE,
      text_encoder: ['CLIPTextModel'],
      tokenizer: CLIP_TOKENIZERS,
      scheduler: [],
    },
  },
  StableDiffusionXLPipeline: {
    kind: 'sdxl',
    denoiser: 'unet',
    packs: 1,
    components: {
      unet: ['UNet2DConditionModel'],
      vae: DIFFUSERS_VAE,
      text_encoder: ['CLIPTextModel'],
      text_encoder_2: ['CLIPTextModelWithProjection'],
      tokenizer: CLIP_TOKENIZERS,
      tokenizer_2: CLIP_TOKENIZERS,
      scheduler: [],
    },
  },
  FluxPipeline: {
    kind: 'flux',
    denoiser: 'transformer',
    packs: 4,
    components: {
      transformer: ['FluxTransformer2DModel'],
      vae: DIFFUSERS_VAE,
      text_encoder: ['CLIPTextModel'],
      text_encoder_2: ['T5EncoderModel'],
      tokenizer: CLIP_TOKENIZERS,
      tokenizer_2: ['T5Tokenizer', 'T5TokenizerFast'],
      scheduler: [],
    },
  },
};

/** A name is anybody's: one like `constructor` is no pipeline either. */
const trainedAs = (class_name: string): TrainedPipeline | undefined =>
  Object.hasOwn(TRAINED, class_name) ? TRAINED[class_name] : undefined;

/** The kind that a registered architecture is trained as; null: none. */
export function imageModelKind(architecture: string | null): ImageModelKind | null {
  return (architecture === null ? undefined : trainedAs(architecture))?.kind ?? null;
}

/** Components that no training reads: they stay where they are, whatever they are made of. */
const NEVER_READ = ['safety_checker', 'feature_extractor', 'image_encoder'];
/** Libraries whose classes are loaded; any other name is a Python file of the repository, or another program. */
const LIBRARIES = ['diffusers', 'transformers'];
/** Classes without weights. */
const WITHOUT_WEIGHTS = /(?:Scheduler|Tokenizer|TokenizerFast|Processor|FeatureExtractor)$/;
const COMPONENT_NAME = /^[a-z][a-z0-9_]{0,59}$/;
const COMPONENTS_MAX = 40;
const NAME_MAX = 120;

export interface PipelineComponent {
  /** Its folder. */
  name: string;
  class_name: string;
  /** What its weights are called before their ending; null: it has none. */
  weights: 'diffusion_pytorch_model' | 'model' | null;
}

export interface Pipeline {
  class_name: string;
  components: PipelineComponent[];
}

const Text = z.string().max(NAME_MAX).refine(isStorable);
const Entry = z.tuple([Text.nullable(), Text.nullable()]);

/** Reads a `model_index.json`. A component that is made by code of the repository's own is refused by name. */
export function readPipelineIndex(value: unknown): { ok: true; pipeline: Pipeline } | { ok: false; refusal: ModelRefusal } {
  const refuse = (code: ModelRefusal['code'], message: string) => ({ ok: false as const, refusal: { code, message } });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('invalid_config', `its ${PIPELINE_INDEX} is not an object of JSON`);
  const { _class_name, ...rest } = value as Record<string, unknown>;
  if (Array.isArray(_class_name)) return refuse('remote_code_not_allowed', ownCode('the pipeline'));
  const class_name = Text.min(1).safeParse(_class_name).data;
  if (class_name === undefined) return refuse('invalid_config', `its ${PIPELINE_INDEX} names no class of pipeline (_class_name)`);
  const components: PipelineComponent[] = [];
  for (const [name, entry] of Object.entries(rest)) {
    if (!Array.isArray(entry) || NEVER_READ.includes(name)) continue;
    const told = Entry.safeParse(entry).data;
    // Settings of a pipeline are lists at times; a component is two names.
    if (told === undefined) continue;
    const [library, class_of] = told;
    if (library === null || class_of === null) continue;
    if (!COMPONENT_NAME.test(name))
      return refuse('invalid_config', `its ${PIPELINE_INDEX} has a component with a name that is no plain one`);
    if (!LIBRARIES.includes(library)) return refuse('remote_code_not_allowed', ownCode(`component ${name} (${library})`));
    const kept = library === 'diffusers' ? ('diffusion_pytorch_model' as const) : ('model' as const);
    components.push({ name, class_name: class_of, weights: WITHOUT_WEIGHTS.test(class_of) ? null : kept });
  }
  if (components.length === 0 || components.length > COMPONENTS_MAX)
    return refuse('invalid_config', `its ${PIPELINE_INDEX} names ${components.length === 0 ? 'no' : 'too many'} components`);
  return { ok: true, pipeline: { class_name, components } };
}

function ownCode(what: string): string {
  return `its ${PIPELINE_INDEX} has ${what} made by Python code that comes with the model; such code is never run here: choose a pipeline of diffusers' own classes`;
}

const count = z.int().min(1).max(1_000_000).optional().catch(undefined);
const ComponentConfig = z.looseObject({
  quantization_config: z.unknown().optional(),
  in_channels: count,
  latent_channels: count,
  sample_size: z.union([count, z.array(count)]).catch(undefined),
  num_layers: count,
  num_single_layers: count,
  num_attention_heads: z.union([count, z.array(count)]).catch(undefined),
  attention_head_dim: z.union([count, z.array(count)]).catch(undefined),
  block_out_channels: z.array(count).optional().catch(undefined),
  vocab_size: count,
});
export type ComponentConfig = z.infer<typeof ComponentConfig>;

/** Reads a component's configuration; null: it is no object. */
export function readComponentConfig(value: unknown): ComponentConfig | null {
  return ComponentConfig.safeParse(value).data ?? null;
}

/** A component as its files are: parameters are counted from the headers of its weights. */
export interface ReadComponent extends PipelineComponent {
  /** null: it has none, as a tokenizer. */
  config: ComponentConfig | null;
  params: number;
  /** Names of the files in its folder. */
  files: readonly string[];
}

const one = (value: number | (number | undefined)[] | undefined): number | null => (typeof value === 'number' ? value : null);

/** The facts of a pipeline that was read, and what the planner counts it with (null: not a kind that is trained). */
export function factsOfPipeline(
  pipeline: Pipeline,
  components: readonly ReadComponent[],
): { facts: ModelFacts; denoiser: string; image: ImageShape | null } {
  const trained = trainedAs(pipeline.class_name);
  const weighty = components.filter(({ weights }) => weights !== null);
  // Of a pipeline that is not known, what weighs most beside its encoders is what it draws with.
  const drawing = weighty.filter(({ name }) => !/encoder|vae/.test(name));
  const heaviest = (drawing.length > 0 ? drawing : weighty).toSorted((a, b) => b.params - a.params)[0]?.name ?? '';
  const denoiser = trained?.denoiser ?? heaviest;
  const own = components.find(({ name }) => name === denoiser);
  const config = own?.config ?? {};
  const heads = one(config.num_attention_heads);
  const head_dim = one(config.attention_head_dim);
  const layers = (config.num_layers ?? 0) + (config.num_single_layers ?? 0);
  const text = components.find(({ name }) => name === 'text_encoder');
  const params = (of: (name: string) => boolean) =>
    weighty.filter(({ name }) => of(name)).reduce((sum, component) => sum + component.params, 0);
  return {
    denoiser,
    facts: {
      family: trained?.kind ?? pipeline.class_name,
      architecture: pipeline.class_name,
      hidden_size: trained?.kind === 'flux' && heads !== null && head_dim !== null ? heads * head_dim : null,
      num_layers: layers === 0 ? null : layers,
      vocab_size: text?.config?.vocab_size ?? null,
      // Tokens are cut by its own tokenizers; nobody asks for a length.
      context_length: null,
      quantized: weighty.some(({ config: told }) => told?.quantization_config != null),
    },
    image:
      trained === undefined
        ? null
        : {
            kind: trained.kind,
            denoiser: own?.params ?? 0,
            encoders: params((name) => name.startsWith('text_encoder')),
            vae: params((name) => name === 'vae'),
            side: nativeSide(trained, config, components),
          },
  };
}

/** Pixels of a side that the model was made for: those of its latent, times what its autoencoder shrinks by. */
function nativeSide({ kind }: TrainedPipeline, config: Partial<ComponentConfig>, components: readonly ReadComponent[]) {
  const stages = components.find(({ name }) => name === 'vae')?.config?.block_out_channels?.length ?? 0;
  const shrinks_by = 2 ** Math.max(0, stages - 1);
  // FLUX says it in its pipeline's code alone: `default_sample_size = 128` (pipeline_flux.py).
  const latent = kind === 'flux' ? 128 : one(config.sample_size);
  return latent === null ? null : latent * shrinks_by;
}

const NAMES_OF_TOKENIZERS = ['tokenizer.json', 'vocab.json', 'spiece.model', 'tokenizer.model'];

/** Why this pipeline cannot be trained here, or null when it can. It is registered all the same. */
export function whyPipelineNotTrainable(
  pipeline: Pipeline,
  components: readonly ReadComponent[],
  quantized: boolean,
): { code: string; message: string } | null {
  const trained = trainedAs(pipeline.class_name);
  const no = (code: string, message: string) => ({ code, message });
  if (trained === undefined)
    return no(
      'architecture_not_trainable',
      `of image models ${Object.keys(TRAINED).join(', ')} are trained, and ${pipeline.class_name} is none of them`,
    );
  for (const [name, classes] of Object.entries(trained.components)) {
    const there = components.find((component) => component.name === name);
    if (there === undefined) return no('component_missing', `it lacks its component ${name}`);
    if (classes.length > 0 && !classes.includes(there.class_name))
      return no(
        'architecture_not_trainable',
        `its ${name} is a ${there.class_name}, and ${classes.join(' or ')} is trained with`,
      );
    if (there.class_name.includes('Tokenizer') && !NAMES_OF_TOKENIZERS.some((file) => there.files.includes(file)))
      return no('tokenizer_missing', `its ${name} has no ${NAMES_OF_TOKENIZERS.slice(0, 3).join(', ')}`);
  }
  if (quantized)
    return no('quantized_not_trainable', 'its weights are quantized; register the same model in bfloat16 or float16 instead');
  const configOf = (name: string) => components.find((component) => component.name === name)?.config;
  const taken = configOf(trained.denoiser)?.in_channels;
  const latent = configOf('vae')?.latent_channels;
  if (taken !== undefined && latent !== undefined && taken !== trained.packs * latent)
    return no(
      'architecture_not_trainable',
      `its ${trained.denoiser} takes ${taken} channels, as one for inpainting does: ${trained.packs * latent} are those of its latents`,
    );
  return null;
}
