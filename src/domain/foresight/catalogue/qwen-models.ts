import { type CatalogueModel, LITGPT, MLC, sizes } from './catalogue-model.ts';

const TIED = { tie_word_embeddings: true };
const QWEN3 = { head_dim: 128 };

export const QWEN_MODELS: CatalogueModel[] = [
  {
    name: 'Qwen/Qwen2.5-0.5B',
    aliases: ['Qwen2-0.5B', 'Qwen2.5-Coder-0.5B'],
    config: sizes('qwen2', [896, 24, 14, 2, 4864, 151_936, 32_768], TIED),
    source: MLC,
  },
  {
    name: 'Qwen/Qwen2.5-1.5B',
    aliases: ['Qwen2-1.5B', 'Qwen2.5-Coder-1.5B', 'Qwen2.5-Math-1.5B'],
    config: sizes('qwen2', [1536, 28, 12, 2, 8960, 151_936, 131_072], TIED),
    source: MLC,
  },
  {
    name: 'Qwen/Qwen2.5-3B',
    aliases: ['Qwen2.5-Coder-3B'],
    config: sizes('qwen2', [2048, 36, 16, 2, 11_008, 151_936, 32_768], TIED),
    source: MLC,
  },
  {
    name: 'Qwen/Qwen2.5-7B',
    aliases: ['Qwen2-7B', 'Qwen2.5-Coder-7B', 'Qwen2.5-Math-7B', 'DeepSeek-R1-Distill-Qwen-7B'],
    config: sizes('qwen2', [3584, 28, 28, 4, 18_944, 152_064, 131_072]),
    source: LITGPT,
  },
  {
    name: 'Qwen/Qwen2.5-14B',
    aliases: ['Qwen2.5-Coder-14B', 'DeepSeek-R1-Distill-Qwen-14B'],
    config: sizes('qwen2', [5120, 48, 40, 8, 13_824, 152_064, 131_072]),
    source: LITGPT,
  },
  {
    name: 'Qwen/Qwen2.5-32B',
    aliases: ['Qwen2.5-Coder-32B', 'QwQ-32B', 'QwQ-32B-Preview', 'DeepSeek-R1-Distill-Qwen-32B'],
    config: sizes('qwen2', [5120, 64, 40, 8, 27_648, 152_064, 131_072]),
    source: LITGPT,
  },
  {
    name: 'Qwen/Qwen2.5-72B',
    aliases: ['Qwen2.5-Math-72B'],
    config: sizes('qwen2', [8192, 80, 64, 8, 29_568, 152_064, 131_072]),
    source: LITGPT,
  },
  {
    name: 'Qwen/Qwen3-0.6B',
    config: sizes('qwen3', [1024, 28, 16, 8, 3072, 151_936, 40_960], { ...QWEN3, ...TIED }),
    source: MLC,
  },
  {
    name: 'Qwen/Qwen3-1.7B',
    config: sizes('qwen3', [2048, 28, 16, 8, 6144, 151_936, 40_960], { ...QWEN3, ...TIED }),
    source: MLC,
  },
  { name: 'Qwen/Qwen3-8B', config: sizes('qwen3', [4096, 36, 32, 8, 12_288, 151_936, 40_960], QWEN3), source: LITGPT },
  { name: 'Qwen/Qwen3-14B', config: sizes('qwen3', [5120, 40, 40, 8, 17_408, 151_936, 40_960], QWEN3), source: LITGPT },
  { name: 'Qwen/Qwen3-32B', config: sizes('qwen3', [5120, 64, 64, 8, 25_600, 151_936, 40_960], QWEN3), source: LITGPT },
];
