import * as z from 'zod';
import { ConfigFault, fieldsOf } from './config-fields.ts';
import { denseDecoder, LLAMA } from './llama-like.ts';
import type { ModelShape } from './model-shape.ts';
import { countParameters } from './parameter-counts.ts';
import { FAMILIES } from './shape-families.ts';

export type ShapeAnswer =
  /** `assumptions`: sentences, what was taken for granted. */
  { ok: true; shape: ModelShape; assumptions: string[] } | { ok: false; reason: string };

/** Some fifty times the largest open model; beyond it sums would leave the whole numbers. */
const PARAMETERS_MAX = 1e14;
const ConfigObject = z.record(z.string(), z.unknown());

/** Reads a transformers `config.json`. The reason of a refusal names the field and the way out. */
export function shapeOf(config: unknown): ShapeAnswer {
  const read = ConfigObject.safeParse(config);
  if (!read.success) return { ok: false, reason: 'config.json is not an object of JSON' };
  try {
    return readShape(read.data);
  } catch (fault) {
    if (!(fault instanceof ConfigFault)) throw fault;
    return { ok: false, reason: `config.json: ${fault.message}` };
  }
}

/** Of a model that also sees. */
export const TEXT_PART_ONLY =
  'Only the text part of the model is counted: where its vision tower is loaded, too, its weights come on top (for 16 bits 2 GB a billion).';

function readShape(config: Record<string, unknown>): ShapeAnswer {
  const outer = fieldsOf(config);
  const outerFamily = outer.word('model_type', '');
  const text = ConfigObject.safeParse(config.text_config);
  const nested = text.success && !outer.has('hidden');
  const assumptions = nested ? [TEXT_PART_ONLY] : [];
  const tie = config.tie_word_embeddings;
  const own = nested ? { ...(typeof tie === 'boolean' ? { tie_word_embeddings: tie } : {}), ...text.data } : config;
  const f = fieldsOf(own);
  const family = f.word('model_type', nested ? `${outerFamily}_text` : outerFamily);
  const known = Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : undefined;
  if (known === undefined) {
    if (
      !LLAMA_FIELDS.every(f.has) ||
      OTHER_BLOCKS.some(f.has) ||
      own.is_encoder_decoder === true ||
      !onlyAttends(own.layer_types)
    )
      return { ok: false, reason: unknownFamily(family) };
    assumptions.push(
      `The model_type ${family === '' ? 'is missing' : `${family} is not known`}: the config is read like that of a llama.`,
    );
  }
  const shape = known === undefined ? denseDecoder(f, family === '' ? 'llama' : family, LLAMA) : known(f, family);
  // transformers/integrations/bitsandbytes.py replaces what is `nn.Linear` itself; 0 of a tiny falcon's 8 linears, measured on 5.23.
  if (family === 'falcon')
    assumptions.push(
      'Where the base is quantized, so are its linears; transformers 5 passes over those of falcon, earlier ones did not.',
    );
  const { total } = countParameters(shape);
  if (total > PARAMETERS_MAX)
    return { ok: false, reason: `config.json describes a model of ${total} parameters, which none has` };
  return { ok: true, shape, assumptions };
}

/** What a decoder like Llama says of itself, and what shows that one has blocks of another kind. */
const LLAMA_FIELDS = ['hidden', 'layers', 'heads', 'intermediate', 'vocab_size'];
const OTHER_BLOCKS = ['experts', 'moe_intermediate_size', 'kv_lora_rank', 'state_size', 'mamba_d_state', 'linear_num_key_heads'];

function onlyAttends(layer_types: unknown): boolean {
  return !Array.isArray(layer_types) || layer_types.every((type) => type === 'full_attention' || type === 'sliding_attention');
}

function unknownFamily(family: string): string {
  const known = Object.keys(FAMILIES).join(', ');
  const what = family === '' ? 'model_type is missing' : `model_type ${family.slice(0, 60)} is not known`;
  return `config.json: ${what} and the fields are not those of llama (hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, vocab_size); known are ${known}`;
}
