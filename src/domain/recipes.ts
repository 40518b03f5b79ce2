/** Training styles: what each begins with, what it supports and what it refuses. Saved templates are changes of one of them. */
import * as z from 'zod';
import { HyperparameterConfig } from './hyperparameters.ts';
import { EXPORT_FORMATS, MIXED_PRECISIONS, TRAINER_CAN } from './trainer-abilities.ts';
import { TRAINER_STRATEGIES } from './trainer-config-parts.ts';

export const RECIPE_METHODS = ['lora', 'qlora', 'dora', 'dreambooth', 'full'] as const;
export type RecipeMethod = (typeof RECIPE_METHODS)[number];

const steps = (min: number) => z.int().min(min).max(1_000_000);

const GLOBAL_BATCH_SIZE_MAX = 4096;
/** Rows of one step, over all GPUs and forward passes. */
export const GlobalBatchSize = z.int({ abort: true }).min(1).max(GLOBAL_BATCH_SIZE_MAX);
export const GradAccum = z.int().min(1).max(256);
export const WarmupSteps = steps(0);
export const Interval = steps(1);
/** Tokens at which rows are cut. */
export const RowTokens = z.int({ abort: true }).min(64).max(1_048_576);
export const Seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** What a training takes where its submission does not say. */
export const RecipeDefaults = z.strictObject({
  learning_rate: HyperparameterConfig.shape.learning_rate,
  rank: HyperparameterConfig.shape.rank,
  alpha: HyperparameterConfig.shape.alpha,
  dropout: HyperparameterConfig.shape.dropout,
  grad_accum: GradAccum.describe('Forward passes a step'),
  warmup_steps: WarmupSteps,
  seed: Seed,
  checkpoint_interval: Interval.describe('Steps between two checkpoints'),
  eval_interval: Interval.describe('Steps between two evaluations'),
  strategy: z.enum(TRAINER_STRATEGIES),
  mixed_precision: z.enum(MIXED_PRECISIONS),
  export: z.array(z.enum(EXPORT_FORMATS)).min(1),
});
export type RecipeDefaults = z.infer<typeof RecipeDefaults>;

/** What a saved template changes of its style's defaults. */
export const RecipeOverrides = RecipeDefaults.partial();
export type RecipeOverrides = z.infer<typeof RecipeOverrides>;

export interface RecipeSupport {
  modalities: readonly string[];
  /** Bases whose weights are quantized already. */
  quantized_bases: boolean;
}

/** A training style, built in or saved. */
export interface Recipe {
  id: string;
  method: RecipeMethod;
  name: string;
  description: string;
  defaults: RecipeDefaults;
  supports: RecipeSupport;
  /** Sentences: what it does not train. */
  refuses: readonly string[];
}

const PEFT: RecipeDefaults = {
  learning_rate: 1e-4,
  rank: 16,
  alpha: 32,
  dropout: 0.05,
  grad_accum: 1,
  warmup_steps: 100,
  seed: 42,
  checkpoint_interval: 100,
  eval_interval: 100,
  strategy: 'none',
  mixed_precision: 'bf16',
  export: ['safetensors'],
};

const NO_QUANTIZED = 'bases whose weights are quantized already: QLoRA trains those';

/** The styles that every installation has, in the order in which they are listed. Their ids never change. */
export const BUILT_IN_RECIPES: readonly Recipe[] = [
  {
    id: 'd5a1f8a4-6c1e-4b57-9a7e-0f6f0b1c2a01',
    method: 'lora',
    name: 'LoRA',
    description: 'Small matrices beside linear layers are learned; the base model stays as it is.',
    defaults: PEFT,
    supports: { modalities: ['text', 'image'], quantized_bases: false },
    refuses: [NO_QUANTIZED, 'GGUF files'],
  },
  {
    id: 'd5a1f8a4-6c1e-4b57-9a7e-0f6f0b1c2a02',
    method: 'qlora',
    name: 'QLoRA',
    description: 'LoRA on a base of 4 bits: a quarter of the memory for its weights.',
    defaults: { ...PEFT, learning_rate: 2e-4 },
    supports: { modalities: ['text'], quantized_bases: true },
    refuses: ['GGUF files'],
  },
  {
    id: 'd5a1f8a4-6c1e-4b57-9a7e-0f6f0b1c2a03',
    method: 'dora',
    name: 'DoRA',
    description: 'LoRA that learns size and direction of each weight apart; slower, often closer to a full fine-tune.',
    defaults: PEFT,
    supports: { modalities: ['text'], quantized_bases: false },
    refuses: [NO_QUANTIZED, 'GGUF files'],
  },
  {
    id: 'd5a1f8a4-6c1e-4b57-9a7e-0f6f0b1c2a04',
    method: 'dreambooth',
    name: 'DreamBooth',
    description: 'One subject is learned from a few images, under a word of its own.',
    defaults: { ...PEFT, dropout: 0 },
    supports: { modalities: ['image'], quantized_bases: false },
    refuses: ['datasets of text', NO_QUANTIZED],
  },
  {
    id: 'd5a1f8a4-6c1e-4b57-9a7e-0f6f0b1c2a05',
    method: 'full',
    name: 'Full fine-tune',
    description: 'Every weight of the base model is trained; the result is a model of the same size.',
    defaults: { ...PEFT, learning_rate: 1e-5, dropout: 0 },
    supports: { modalities: ['text'], quantized_bases: false },
    refuses: [NO_QUANTIZED, 'GGUF files', 'adapters to start from'],
  },
];

/** A built-in style by its id or its method. */
export function builtInRecipe(ref: string): Recipe | undefined {
  return BUILT_IN_RECIPES.find((recipe) => recipe.id === ref || recipe.method === ref);
}

/** Why this installation's trainer cannot train this style, with the way out; null when it can. */
export function whyUnavailable(method: RecipeMethod): string | null {
  const able: readonly string[] = [...TRAINER_CAN.methods, ...TRAINER_CAN.image_methods];
  if (able.includes(method)) return null;
  const way = `use ${TRAINER_CAN.methods.map((able) => builtInRecipe(able)?.name ?? able).join(' or ')}`;
  return `The trainer of this installation does not do ${builtInRecipe(method)?.name ?? method} yet: ${way}.`;
}

/** A style's defaults under a template's changes. */
export function withOverrides(method: RecipeMethod, overrides: RecipeOverrides): RecipeDefaults {
  const built_in = builtInRecipe(method);
  if (built_in === undefined) throw new Error(`there is no built-in recipe for ${method}`);
  return { ...built_in.defaults, ...Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)) };
}
