/** The words of a request as libraries and people write them: `BF16`, `QLoRA`, `ZeRO-3`, `flash_attention_2`. */
import {
  ADAPTER_DTYPES,
  ATTENTIONS,
  LOSSES,
  OPTIMIZERS,
  PRECISIONS,
  QUANTIZATIONS,
  RUN_METHODS,
  STRATEGIES,
} from '../run-shape.ts';

/** Case and the signs between words do not tell them apart. */
const keyOf = (word: string): string => word.toLowerCase().replaceAll(/[\s_.-]+/g, '');

/** By the word that a request takes: what means the same to the byte elsewhere. */
type Spellings = Readonly<Record<string, readonly string[]>>;

const DTYPES: Spellings = {
  // LitGPT's `bf16-true` loads and computes in it; its `bf16-mixed` keeps fp32 weights and is none of these.
  bf16: ['bfloat16', 'torch.bfloat16', 'bf16-true'],
  fp16: ['float16', 'torch.float16', '16-true'],
  fp32: ['float32', 'torch.float32', '32-true'],
};

function known(words: readonly string[], also: Spellings = {}): ReadonlyMap<string, string> {
  return new Map(words.flatMap((word) => [word, ...(also[word] ?? [])].map((written) => [keyOf(written), word] as const)));
}

const PRECISION_WORDS = known(PRECISIONS, DTYPES);

const REQUEST_WORDS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['method', known(RUN_METHODS, { full: ['full-finetune', 'full-finetuning', 'full-ft'] })],
  ['quantization', known(QUANTIZATIONS, { nf4: ['bnb.nf4'], 'nf4-dq': ['bnb.nf4-dq'], int8: ['8bit', 'llm.int8'] })],
  // As transformers' `optim` names them; `paged_adamw_32bit` is none of ours.
  [
    'optimizer',
    known(OPTIMIZERS, { adamw: ['adamw_torch', 'adamw_torch_fused', 'adamw_hf'], adamw_8bit: ['adamw_bnb_8bit', 'adamw8bit'] }),
  ],
  ['attention', known(ATTENTIONS, { flash: ['flash_attention_2', 'flash_attention', 'flash_attn', 'flash_attn_2', 'fa2'] })],
  ['loss', known(LOSSES, { standard: ['cross_entropy'], fused: ['liger'] })],
  ['precision', PRECISION_WORDS],
  ['weights_dtype', PRECISION_WORDS],
  ['strategy', known(STRATEGIES, { fsdp: ['fsdp2'], zero3: ['deepspeed_zero3'], zero2: ['deepspeed_zero2'] })],
]);

const LORA_WORDS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['adapter_dtype', known(ADAPTER_DTYPES, DTYPES)],
  ['targets', known(['all-linear', 'attention'], { 'all-linear': ['all'] })],
]);

type Fields = Record<string, unknown>;

function translated(fields: Fields, words: ReadonlyMap<string, ReadonlyMap<string, string>>): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? (words.get(name)?.get(keyOf(value)) ?? value) : value,
    ]),
  );
}

/** A request in its own words where it was said in others'; what nobody writes so stays, and is refused by its rule. */
export function inOurWords(request: Fields): Fields {
  const { lora } = request;
  const read = translated(request, REQUEST_WORDS);
  return typeof lora === 'object' && lora !== null && !Array.isArray(lora)
    ? { ...read, lora: translated(lora as Fields, LORA_WORDS) }
    : read;
}
