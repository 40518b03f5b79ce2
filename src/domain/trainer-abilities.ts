/** What can be asked for by name, and which of it the trainer that ships with this version does. */

/** Benchmarks and measures that an evaluation can be asked for. */
export const EVAL_SUITES = [
  'held_out_loss',
  'perplexity',
  'mmlu',
  'hellaswag',
  'arc_easy',
  'arc_challenge',
  'winogrande',
  'truthfulqa',
  'gsm8k',
  'humaneval',
  'mt_bench',
] as const;
export type EvalSuite = (typeof EVAL_SUITES)[number];

/** Forms in which a result can be asked for. */
export const EXPORT_FORMATS = ['safetensors', 'merged', 'gguf', 'onnx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const MIXED_PRECISIONS = ['bf16', 'fp16', 'fp32'] as const;
export type MixedPrecision = (typeof MIXED_PRECISIONS)[number];

/** What the shipped trainer does of all that: what it lacks is told, never silently left out. */
export const TRAINER_CAN = {
  methods: ['lora', 'dora'],
  /** Of image models. */
  image_methods: ['lora', 'dreambooth'],
  modalities: ['text', 'image'],
  devices_max: 8,
  strategies: ['none', 'ddp', 'fsdp'],
  eval_suites: ['held_out_loss'],
  image_eval_suites: [],
  exports: ['safetensors'],
  adapters_max: 1,
} as const;

/** Those of the asked names that the trainer lacks. */
export function lacking<T extends string>(asked: readonly T[], able: readonly string[]): T[] {
  return asked.filter((name) => !able.includes(name));
}
