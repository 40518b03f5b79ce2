/** The fields of a `config.json`, read by the names that families use and only between sane limits. */
import * as z from 'zod';

/** Beyond these a config describes no model: some 8 times the largest that is public. */
export const CONFIG_LIMITS = {
  layers: 4096,
  width: 2 ** 20,
  heads: 2 ** 16,
  vocab: 2 ** 24,
  experts: 2 ** 16,
  tokens: 2 ** 31 - 1,
} as const;

export type ConfigLimit = keyof typeof CONFIG_LIMITS;

/** Names that one fact goes by. */
const NAMES = {
  hidden: ['hidden_size', 'n_embd', 'n_embed', 'd_model'],
  layers: ['num_hidden_layers', 'n_layer', 'num_layers', 'n_layers'],
  heads: ['num_attention_heads', 'n_head', 'num_heads', 'n_heads'],
  kv_heads: ['num_key_value_heads', 'num_kv_heads', 'n_head_kv'],
  intermediate: ['intermediate_size', 'n_inner', 'ffn_dim', 'ffn_hidden_size'],
  experts: ['num_experts', 'num_local_experts', 'n_routed_experts'],
  context: ['max_position_embeddings', 'n_positions', 'n_ctx', 'max_sequence_length', 'max_seq_len', 'seq_length'],
  activation: ['hidden_activation', 'hidden_act', 'activation_function', 'activation'],
} as const;

/** A config that describes no model; `message` names the field. */
export class ConfigFault extends Error {}

export type ConfigFields = ReturnType<typeof fieldsOf>;

/** Readers over one object of JSON; each throws ConfigFault with the field's name. `null` counts as absent, as in transformers. */
export function fieldsOf(config: Record<string, unknown>) {
  const found = (names: readonly string[]) => {
    const name = names.find((one) => Object.hasOwn(config, one) && config[one] !== null && config[one] !== undefined);
    return name === undefined ? null : { name, value: config[name] };
  };
  const namesOf = (fact: string): readonly string[] => (Object.hasOwn(NAMES, fact) ? NAMES[fact as keyof typeof NAMES] : [fact]);

  /** A whole number from 1 to its limit, or null when it is absent. */
  function maybeCount(fact: string, limit: ConfigLimit): number | null {
    const field = found(namesOf(fact));
    if (field === null) return null;
    const count = z.int().min(1).max(CONFIG_LIMITS[limit]).safeParse(field.value);
    if (!count.success) throw new ConfigFault(`${field.name} is not a whole number from 1 to ${CONFIG_LIMITS[limit]}`);
    return count.data;
  }

  return {
    /** Whether a field is there, even as null. */
    says: (name: string) => Object.hasOwn(config, name),
    has: (fact: string) => found(namesOf(fact)) !== null,
    maybeCount,
    /** The same, where a model cannot be without it. */
    count(fact: string, limit: ConfigLimit, fallback?: number): number {
      const count = maybeCount(fact, limit) ?? fallback;
      if (count === undefined) throw new ConfigFault(`${namesOf(fact)[0]} is missing`);
      return count;
    },
    /** A whole number from 0 to its limit. */
    countOrZero(fact: string, limit: ConfigLimit, fallback: number): number {
      const field = found(namesOf(fact));
      return field === null || field.value === 0 ? (field === null ? fallback : 0) : (maybeCount(fact, limit) ?? fallback);
    },
    flag(name: string, fallback: boolean): boolean {
      const field = found([name]);
      if (field === null) return fallback;
      if (typeof field.value !== 'boolean') throw new ConfigFault(`${name} is neither true nor false`);
      return field.value;
    },
    word(fact: string, fallback: string): string {
      const field = found(namesOf(fact));
      if (field === null) return fallback;
      const word = z.string().min(1).max(100).safeParse(field.value);
      if (!word.success) throw new ConfigFault(`${field.name} is not a word`);
      return word.data;
    },
    /** A list no longer than a model has layers; null: absent. */
    list<Item>(name: string, item: z.ZodType<Item>): Item[] | null {
      const field = found([name]);
      if (field === null) return null;
      const items = z.array(item).max(CONFIG_LIMITS.layers).safeParse(field.value);
      if (!items.success) throw new ConfigFault(`${name} is not a list of what it should hold`);
      return items.data;
    },
  };
}
