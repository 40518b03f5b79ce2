/** What a model's own files say about it: the facts that the registry shows and the planner counts with. */
import * as z from 'zod';
import { isStorable } from './storable-text.ts';

/** File endings that can carry code when loaded; never read, fetched or registered as weights. */
export const UNSAFE_WEIGHTS = /\.(?:bin|pt|pth|ckpt|pkl|pickle|joblib|npy|npz|h5|keras|pb|onnx|msgpack)$/i;

export interface ModelFacts {
  family: string;
  architecture: string | null;
  hidden_size: number | null;
  num_layers: number | null;
  vocab_size: number | null;
  context_length: number | null;
  quantized: boolean;
}

export interface ModelRefusal {
  code: 'invalid_config' | 'remote_code_not_allowed' | 'unsafe_model_format' | 'weights_missing' | 'invalid_safetensors';
  message: string;
}

/** What a column of PostgreSQL's `integer` holds; a model that says more of itself says nothing. */
const INTEGER_MAX = 2 ** 31 - 1;
const count = z.int().min(1).max(INTEGER_MAX).optional().catch(undefined);
const Shape = z.looseObject({
  hidden_size: count,
  n_embd: count,
  d_model: count,
  num_hidden_layers: count,
  n_layer: count,
  num_layers: count,
  vocab_size: count,
  max_position_embeddings: count,
  n_positions: count,
  n_ctx: count,
  max_sequence_length: count,
});
const UNSTORABLE = 'holds a NUL or half a surrogate pair';
const Config = Shape.extend({
  model_type: z
    .string()
    .max(100)
    .optional()
    .catch(undefined)
    .refine((name) => isStorable(name ?? ''), UNSTORABLE),
  architectures: z
    .array(z.string().max(200))
    .optional()
    .catch(undefined)
    .refine((names) => isStorable(names?.[0] ?? ''), UNSTORABLE),
  quantization_config: z.unknown().optional(),
  text_config: Shape.optional().catch(undefined),
});

/** Reads a `config.json`. A model that brings code of its own is refused. */
export function factsOfConfig(config: unknown): { ok: true; facts: ModelFacts } | { ok: false; refusal: ModelRefusal } {
  const parsed = Config.safeParse(config);
  if (!parsed.success) {
    const [fault] = parsed.error.issues;
    const what = fault?.path.length ? `: ${fault.path.join('.')} ${fault.message}` : ' is not an object of JSON';
    return { ok: false, refusal: { code: 'invalid_config', message: `its config.json${what}` } };
  }
  const own = parsed.data;
  const code = remoteCode('config.json', config);
  if (code !== null) return { ok: false, refusal: code };
  const shape = (own.hidden_size ?? own.n_embd ?? own.d_model) ? own : (own.text_config ?? own);
  return {
    ok: true,
    facts: {
      family: own.model_type ?? '',
      architecture: own.architectures?.[0] ?? null,
      hidden_size: shape.hidden_size ?? shape.n_embd ?? shape.d_model ?? null,
      num_layers: shape.num_hidden_layers ?? shape.n_layer ?? shape.num_layers ?? null,
      vocab_size: shape.vocab_size ?? own.vocab_size ?? null,
      context_length: shape.max_position_embeddings ?? shape.n_positions ?? shape.n_ctx ?? shape.max_sequence_length ?? null,
      quantized: own.quantization_config !== undefined && own.quantization_config !== null,
    },
  };
}

/**
 * What transformers has of its own (modeling_utils.py, `AttentionInterface`); under any other name it loads a kernel, which is
 * code, from the Hub. The same list is `ATTENTION` of trainer/lora_trainer/hub_model.py.
 */
const ATTENTION: readonly unknown[] = [
  'eager',
  'sdpa',
  'flash_attention_2',
  'flash_attention_3',
  'flash_attention_4',
  'flex_attention',
  'paged|eager',
];

/** One name, or one for each of the model's parts. */
const isOwnAttention = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.values(value).every((name) => name === null || ATTENTION.includes(name))
    : value === null || ATTENTION.includes(value);

/** Why a configuration that is read of `file` would have code loaded that is not ours; null: it would not. */
export function remoteCode(file: string, config: unknown): ModelRefusal | null {
  const refuse = (what: string) => ({
    code: 'remote_code_not_allowed' as const,
    message: `its ${file} asks to load ${what}; such code is never run here: choose a model of an architecture that transformers knows`,
  });
  if (typeof config !== 'object' || config === null) return null;
  if ('auto_map' in config && config.auto_map !== undefined && config.auto_map !== null)
    return refuse('Python code that comes with the model (auto_map)');
  // Not by recursion: a file may be nested deeper than the stack.
  const left: object[] = [config];
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    for (const [field, value] of Object.entries(part)) {
      if (/^_?attn_implementation$/.test(field) && !isOwnAttention(value))
        return refuse(`its attention from elsewhere (${field}), and known are ${ATTENTION.join(', ')}`);
      if (typeof value === 'object' && value !== null) left.push(value);
    }
  }
  return null;
}

const TokenizerConfig = z.looseObject({
  chat_template: z.unknown().optional(),
  model_max_length: z.unknown().optional(),
});

/** What a `tokenizer_config.json` adds: whether a conversation can be formatted, and a last resort for the context. */
export function factsOfTokenizer(config: unknown): {
  has_chat_template: boolean;
  model_max_length: number | null;
} {
  const parsed = TokenizerConfig.safeParse(config);
  const own = parsed.success ? parsed.data : undefined;
  const template = own?.chat_template;
  const longest = own?.model_max_length;
  return {
    has_chat_template: (typeof template === 'string' && template !== '') || (Array.isArray(template) && template.length > 0),
    // Tokenizers without a limit say 1e30.
    model_max_length:
      Number.isSafeInteger(longest) && (longest as number) > 0 && (longest as number) < 1e9 ? (longest as number) : null,
  };
}

/** Why this model cannot be trained here, or null when it can. It is registered all the same. */
export function whyNotTrainable(facts: ModelFacts, has_tokenizer: boolean): { code: string; message: string } | null {
  if (facts.architecture === null || !(facts.architecture.endsWith('ForCausalLM') || facts.architecture === 'GPT2LMHeadModel')) {
    const what = facts.architecture === null ? 'its config.json names no architecture' : `${facts.architecture} is not one`;
    return {
      code: 'architecture_not_trainable',
      message: `only causal language models (…ForCausalLM) are trained so far, and ${what}`,
    };
  }
  if (facts.quantized) {
    return {
      code: 'quantized_not_trainable',
      message: 'its weights are quantized; register the same model in bfloat16 or float16 instead',
    };
  }
  if (!has_tokenizer) {
    return {
      code: 'tokenizer_missing',
      message: 'it has no tokenizer.json; save its tokenizer in the fast format beside the weights',
    };
  }
  return null;
}

const DTYPE_NAMES: Record<string, string> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F8_E4M3: 'float8_e4m3fn',
  F8_E5M2: 'float8_e5m2',
  I8: 'int8',
  U8: 'uint8',
};

/** The dtype that most parameters have, in PyTorch's words; null for a model without any. */
export function mainDtype(params_by_dtype: Record<string, number>): string | null {
  const [first] = Object.entries(params_by_dtype).sort((a, b) => b[1] - a[1]);
  if (first === undefined) return null;
  return DTYPE_NAMES[first[0]] ?? first[0].toLowerCase();
}
