/** Which measured rows the planner may be fitted to, and which only score it: decided before any fitting, by family and never by row. */

export const SPLITS = ['tune', 'held-out'] as const;
export type Split = (typeof SPLITS)[number];

interface Rule {
  /** Of the ids; the longest that fits decides. */
  prefix: string;
  split: Split;
  why: string;
}

/**
 * What the formulas or their constants were fitted to, or were checked against while they were written, is `tune`, with all of its
 * family. `held-out` are whole sources, model families or devices that nobody fitted anything to.
 */
export const SPLIT_RULES: readonly Rule[] = [
  { prefix: 'peft-', split: 'tune', why: 'gave bytes per trained parameter and the logits of an own loop' },
  {
    prefix: 'qwen-',
    split: 'tune',
    why: 'gave device constant, slope of the logits, efficiency of the A100 and the launch floor',
  },
  { prefix: 'litgpt-', split: 'tune', why: 'gave the cost of dequantization and the kept inputs of old bitsandbytes' },
  { prefix: 'fsdp-', split: 'tune', why: 'gave slack, sharding and the efficiency of RTX 3090 and 4090' },
  { prefix: 'torchtune-', split: 'tune', why: 'gave full fine-tuning, compile and chunked loss' },
  { prefix: 'swift-qwen-', split: 'tune', why: 'gave eager attention and checkpointing; one model family, all of its sizes' },
  { prefix: 'llama-factory-lora-', split: 'tune', why: 'gave an efficiency of the A100' },
  { prefix: 'foundry-h100', split: 'tune', why: 'gave the efficiency of the H100' },
  { prefix: 'simpletuner-', split: 'tune', why: 'the tables of image models are made of it: no image row is held out' },
  { prefix: 'peft-image-', split: 'tune', why: 'the same' },
  { prefix: 'nemo-automodel-', split: 'held-out', why: 'LoRA on one H100 without checkpointing: no other source has it' },
  {
    prefix: 'fms-',
    split: 'held-out',
    why: 'the one source that measures allocator, device and time of one run; found after the formulas',
  },
  {
    prefix: 'swift-',
    split: 'held-out',
    why: 'chatglm3, Yi, Zephyr and Baichuan2: families of models that nothing was fitted to',
  },
  { prefix: 'litgpt-hub-', split: 'held-out', why: 'another device, other data, ten more families of models, half a year later' },
  { prefix: 'llama-factory-qlora-', split: 'held-out', why: 'QLoRA from 1,024 to 32,768 tokens; no figure of it was used' },
  { prefix: 'fitcheck-', split: 'held-out', why: 'T4, fp16, QLoRA: no other source has that device' },
  { prefix: 'axolotl-', split: 'held-out', why: 'its only rows with Cut Cross Entropy and models of 24B and 36B' },
  {
    prefix: 'outside-trl-',
    split: 'tune',
    why: 'showed that the allocator goes on holding in 16 bits what became fp32',
  },
  { prefix: 'outside-', split: 'held-out', why: 'found after the formulas by who did not write them' },
  { prefix: 'foundry-a100', split: 'held-out', why: 'devices that no full fine-tune with FSDP was fitted on' },
];

/** Throws where no rule fits: a new source is decided on before its rows are read. */
export function splitOf(id: string): Split {
  const [rule] = SPLIT_RULES.filter(({ prefix }) => id.startsWith(prefix)).sort((a, b) => b.prefix.length - a.prefix.length);
  if (rule === undefined) throw new Error(`no rule of the split fits ${id}`);
  return rule.split;
}
