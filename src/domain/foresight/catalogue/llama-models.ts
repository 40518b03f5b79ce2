import { type CatalogueModel, LITGPT, MLC, sizes } from './catalogue-model.ts';

const TIED = { tie_word_embeddings: true };

export const LLAMA_MODELS: CatalogueModel[] = [
  { name: 'meta-llama/Llama-2-7b-hf', config: sizes('llama', [4096, 32, 32, 32, 11_008, 32_000, 4096]), source: LITGPT },
  { name: 'meta-llama/Llama-2-13b-hf', config: sizes('llama', [5120, 40, 40, 40, 13_824, 32_000, 4096]), source: LITGPT },
  { name: 'meta-llama/Llama-2-70b-hf', config: sizes('llama', [8192, 80, 64, 8, 28_672, 32_000, 4096]), source: LITGPT },
  {
    name: 'meta-llama/Meta-Llama-3-8B',
    aliases: ['Llama-3-8B'],
    config: sizes('llama', [4096, 32, 32, 8, 14_336, 128_256, 8192]),
    source: LITGPT,
  },
  {
    name: 'meta-llama/Meta-Llama-3-70B',
    aliases: ['Llama-3-70B'],
    config: sizes('llama', [8192, 80, 64, 8, 28_672, 128_256, 8192]),
    source: LITGPT,
  },
  {
    name: 'meta-llama/Llama-3.1-8B',
    aliases: ['Meta-Llama-3.1-8B', 'DeepSeek-R1-Distill-Llama-8B'],
    config: sizes('llama', [4096, 32, 32, 8, 14_336, 128_256, 131_072]),
    source: LITGPT,
  },
  {
    name: 'meta-llama/Llama-3.1-70B',
    aliases: ['Meta-Llama-3.1-70B', 'Llama-3.3-70B', 'Llama-3.1-Nemotron-70B-Instruct-HF', 'DeepSeek-R1-Distill-Llama-70B'],
    config: sizes('llama', [8192, 80, 64, 8, 28_672, 128_256, 131_072]),
    source: LITGPT,
  },
  {
    name: 'meta-llama/Llama-3.1-405B',
    aliases: ['Meta-Llama-3.1-405B'],
    config: sizes('llama', [16_384, 126, 128, 8, 53_248, 128_256, 131_072]),
    source: LITGPT,
  },
  { name: 'meta-llama/Llama-3.2-1B', config: sizes('llama', [2048, 16, 32, 8, 8192, 128_256, 131_072], TIED), source: MLC },
  { name: 'meta-llama/Llama-3.2-3B', config: sizes('llama', [3072, 28, 24, 8, 8192, 128_256, 131_072], TIED), source: MLC },
  { name: 'codellama/CodeLlama-7b-hf', config: sizes('llama', [4096, 32, 32, 32, 11_008, 32_016, 16_384]), source: LITGPT },
  { name: 'codellama/CodeLlama-13b-hf', config: sizes('llama', [5120, 40, 40, 40, 13_824, 32_016, 16_384]), source: LITGPT },
  { name: 'codellama/CodeLlama-34b-hf', config: sizes('llama', [8192, 48, 64, 8, 22_016, 32_000, 16_384]), source: LITGPT },
  {
    name: 'codellama/CodeLlama-70b-hf',
    config: sizes('llama', [8192, 80, 64, 8, 28_672, 32_016, 16_384]),
    source: LITGPT,
  },
  {
    name: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
    aliases: ['TinyLlama-1.1B', 'tiny-llama-1.1b', 'TinyLlama-1.1B-intermediate-step-1431k-3T'],
    config: sizes('llama', [2048, 22, 32, 4, 5632, 32_000, 2048]),
    source: LITGPT,
  },
  {
    name: 'HuggingFaceTB/SmolLM2-135M',
    config: sizes('llama', [576, 30, 9, 3, 1536, 49_152, 8192], TIED),
    source: MLC,
  },
  {
    name: 'HuggingFaceTB/SmolLM2-360M',
    config: sizes('llama', [960, 32, 15, 5, 2560, 49_152, 8192], TIED),
    source: MLC,
  },
  { name: 'HuggingFaceTB/SmolLM-135M', config: sizes('llama', [576, 30, 9, 3, 1536, 49_152, 2048], TIED), source: MLC },
  { name: 'HuggingFaceTB/SmolLM-360M', config: sizes('llama', [960, 32, 15, 5, 2560, 49_152, 2048], TIED), source: MLC },
  { name: 'HuggingFaceTB/SmolLM-1.7B', config: sizes('llama', [2048, 24, 32, 32, 8192, 49_152, 2048], TIED), source: MLC },
];
