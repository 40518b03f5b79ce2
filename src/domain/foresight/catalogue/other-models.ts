import { type CatalogueModel, LITGPT, MLC, sizes } from './catalogue-model.ts';

const PYTHIA = { tie_word_embeddings: false, use_parallel_residual: true };

/** Pythia and its like: hidden, layers, heads, vocabulary. */
function neox([hidden_size, num_hidden_layers, num_attention_heads, vocab_size]: [number, number, number, number]) {
  const intermediate_size = 4 * hidden_size;
  return {
    model_type: 'gpt_neox',
    hidden_size,
    num_hidden_layers,
    num_attention_heads,
    intermediate_size,
    vocab_size,
    max_position_embeddings: 2048,
    ...PYTHIA,
  };
}

export const OTHER_MODELS: CatalogueModel[] = [
  {
    name: 'mistralai/Mistral-7B-v0.1',
    aliases: ['Mistral-7B-Instruct-v0.1'],
    config: sizes('mistral', [4096, 32, 32, 8, 14_336, 32_000, 32_768], { sliding_window: 4096 }),
    source: MLC,
  },
  {
    name: 'mistralai/Mistral-7B-v0.2',
    aliases: ['Mistral-7B-Instruct-v0.2'],
    config: sizes('mistral', [4096, 32, 32, 8, 14_336, 32_000, 32_768], { sliding_window: null }),
    source: LITGPT,
  },
  {
    name: 'mistralai/Mistral-7B-v0.3',
    aliases: ['Mistral-7B-Instruct-v0.3', 'Mistral-7B', 'Mathstral-7B-v0.1'],
    config: sizes('mistral', [4096, 32, 32, 8, 14_336, 32_768, 32_768], { sliding_window: null }),
    source: LITGPT,
  },
  {
    name: 'google/gemma-2b',
    config: sizes('gemma', [2048, 18, 8, 1, 16_384, 256_000, 8192], { head_dim: 256 }),
    source: LITGPT,
  },
  {
    name: 'google/gemma-7b',
    aliases: ['codegemma-7b'],
    config: sizes('gemma', [3072, 28, 16, 16, 24_576, 256_000, 8192], { head_dim: 256 }),
    source: LITGPT,
  },
  {
    name: 'microsoft/Phi-3-mini-4k-instruct',
    aliases: ['Phi-3-mini'],
    config: sizes('phi3', [3072, 32, 32, 32, 8192, 32_064, 4096], { sliding_window: 2047 }),
    source: LITGPT,
  },
  {
    name: 'microsoft/phi-4',
    aliases: ['Phi-4-reasoning', 'Phi-4-reasoning-plus'],
    config: sizes('phi3', [5120, 40, 40, 10, 17_920, 100_352, 16_384]),
    source: LITGPT,
  },
  { name: 'EleutherAI/pythia-70m', config: neox([512, 6, 8, 50_304]), source: LITGPT },
  { name: 'EleutherAI/pythia-160m', config: neox([768, 12, 12, 50_304]), source: LITGPT },
  { name: 'EleutherAI/pythia-410m', config: neox([1024, 24, 16, 50_304]), source: LITGPT },
  { name: 'EleutherAI/pythia-1b', config: neox([2048, 16, 8, 50_304]), source: LITGPT },
  { name: 'EleutherAI/pythia-1.4b', config: neox([2048, 24, 16, 50_304]), source: LITGPT },
  { name: 'EleutherAI/pythia-2.8b', config: neox([2560, 32, 32, 50_304]), source: LITGPT },
  { name: 'EleutherAI/pythia-6.9b', config: neox([4096, 32, 32, 50_432]), source: LITGPT },
  { name: 'EleutherAI/pythia-12b', config: neox([5120, 36, 40, 50_688]), source: LITGPT },
];
