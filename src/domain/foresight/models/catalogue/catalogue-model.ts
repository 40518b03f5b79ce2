/** A model that the planner knows by name. */
export interface CatalogueModel {
  /** As the Hub writes it. */
  name: string;
  /** Other names of the same shape; variants such as -Instruct or -chat are found without one. */
  aliases?: string[];
  /** It also sees: what stands here is its text part. */
  sees?: true;
  /** Those fields of its config.json that shape it. */
  config: Record<string, unknown>;
  /** Where the shape was read. */
  source: string;
  /** Parameters as published: a whole number, or digits with B or M. */
  published?: { params: string; source: string };
}

/** A file of a public repository. */
export const repository = (name: string, path: string) => `https://github.com/${name}/blob/HEAD/${path}`;
/** The config of the model itself or of a copy that names it. */
export const hub = (name: string) => `https://huggingface.co/${name}/blob/main/config.json`;
/** The model's own page: its text, or the counts that the Hub reads from its files. */
export const card = (name: string) => `https://huggingface.co/${name}`;
export const llmAnalysis = (name: string) => repository('cli99/llm-analysis', `llm_analysis/model_configs/${name}.json`);
export const LITGPT = repository('Lightning-AI/litgpt', 'litgpt/config.py');
export const MLC = repository('mlc-ai/mlc-llm', 'python/mlc_llm/model/model_preset.py');
export const GPU_POOR = repository('RahulSChand/gpu_poor', 'public/all_configs.json');
/** Model Provenance Testing for Large Language Models, table 4. */
export const PROVENANCE = 'https://arxiv.org/abs/2502.00706';
export const CALFLOPS = repository('MrYxJ/calculate-flops.pytorch', 'README.md');

export const TIED = { tie_word_embeddings: true };
export const UNTIED = { tie_word_embeddings: false };

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
