/** A model that the planner knows by name. */
export interface CatalogueModel {
  /** As the Hub writes it. */
  name: string;
  /** Other names of the same shape; variants such as -Instruct or -chat are found without one. */
  aliases?: string[];
  /** Those fields of its config.json that shape it. */
  config: Record<string, unknown>;
  /** Where the shape was read. */
  source: string;
  /** Parameters as published: a whole number, or digits with B or M. */
  published?: { params: string; source: string };
}

export const LITGPT = 'https://github.com/Lightning-AI/litgpt/blob/main/litgpt/config.py';
export const MLC = 'https://github.com/mlc-ai/mlc-llm/blob/main/python/mlc_llm/model/model_preset.py';

/** A config of Llama's fields: hidden, layers, heads, key-value heads, intermediate, vocabulary, context. */
export function sizes(
  model_type: string,
  [hidden_size, num_hidden_layers, num_attention_heads, num_key_value_heads, intermediate_size, vocab_size, context]: [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ],
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    model_type,
    hidden_size,
    num_hidden_layers,
    num_attention_heads,
    num_key_value_heads,
    intermediate_size,
    vocab_size,
    max_position_embeddings: context,
    ...more,
  };
}
