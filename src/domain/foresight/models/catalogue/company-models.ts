import { type CatalogueModel, card, GPU_POOR, hub, LITGPT, MLC, PROVENANCE, repository, sizes, TIED } from './catalogue-model.ts';

const FAR = { sliding_window: null };
const GEMMA = { head_dim: 256 };
const MIXTRAL = { num_local_experts: 8, num_experts_per_tok: 2 };
const GPT_OSS = { head_dim: 64, sliding_window: 128, num_experts_per_tok: 4 };
const NEMO_MISTRAL = repository('NVIDIA-NeMo/NeMo', 'nemo/collections/llm/gpt/model/mistral.py');
const NEMO_GEMMA3 = repository('NVIDIA-NeMo/NeMo', 'nemo/collections/llm/gpt/model/gemma3.py');
const NEMO_GPT_OSS = repository('NVIDIA-NeMo/NeMo', 'nemo/collections/llm/gpt/model/gpt_oss.py');
const megatronCard = (name: string) =>
  repository('NVIDIA-NeMo/Megatron-Bridge', `examples/model_verification_cards/${name}/card.yaml`);

export const COMPANY_MODELS: CatalogueModel[] = [
  {
    name: 'mistralai/Mistral-7B-v0.1',
    aliases: ['Mistral-7B-Instruct-v0.1', 'zephyr-7b-alpha', 'zephyr-7b-beta', 'zephyr-7b'],
    config: sizes('mistral', [4096, 32, 32, 8, 14_336, 32_000, 32_768], { sliding_window: 4096 }),
    source: MLC,
  },
  // Two more words, of ChatML.
  {
    name: 'teknium/OpenHermes-2.5-Mistral-7B',
    aliases: ['OpenHermes-2-Mistral-7B', 'OpenHermes-2.5', 'OpenHermes', 'Mistral-7B-OpenOrca', 'dolphin-2.1-mistral-7b'],
    config: sizes('mistral', [4096, 32, 32, 8, 14_336, 32_002, 32_768], { sliding_window: 4096 }),
    source: GPU_POOR,
  },
  {
    name: 'mistralai/Mistral-7B-v0.2',
    aliases: ['Mistral-7B-Instruct-v0.2'],
    config: sizes('mistral', [4096, 32, 32, 8, 14_336, 32_000, 32_768], FAR),
    source: LITGPT,
  },
  {
    name: 'mistralai/Mistral-7B-v0.3',
    aliases: ['Mistral-7B-Instruct-v0.3', 'Mistral-7B', 'Mathstral-7B-v0.1'],
    config: sizes('mistral', [4096, 32, 32, 8, 14_336, 32_768, 32_768], FAR),
    source: LITGPT,
  },
  {
    name: 'mistralai/Mistral-Nemo-Base-2407',
    aliases: ['Mistral-Nemo-Instruct-2407', 'Mistral-Nemo', 'Mistral-Nemo-12B'],
    config: sizes('mistral', [5120, 40, 32, 8, 14_336, 131_072, 131_072], { ...FAR, head_dim: 128 }),
    source: NEMO_MISTRAL,
  },
  {
    name: 'mistralai/Mistral-Small-Instruct-2409',
    aliases: ['Mistral-Small-22B', 'Codestral-22B-v0.1', 'Codestral-22B'],
    config: sizes('mistral', [6144, 56, 48, 8, 16_384, 32_768, 32_768], { ...FAR, head_dim: 128 }),
    source: hub('minchyeom/letta'),
  },
  {
    name: 'mistralai/Mistral-Small-24B-Base-2501',
    aliases: [
      ...['Mistral-Small-24B-Instruct-2501', 'Mistral-Small-24B', 'Devstral-Small-2505', 'Devstral-Small-2507'],
      ...['Devstral-Small', 'Devstral', 'Magistral-Small-2506', 'Magistral-Small'],
    ],
    config: sizes('mistral', [5120, 40, 32, 8, 32_768, 131_072, 32_768], { ...FAR, head_dim: 128 }),
    source: hub('unsloth/Mistral-Small-24B-Instruct-2501-GGUF'),
  },
  {
    name: 'mistralai/Ministral-8B-Instruct-2410',
    aliases: ['Ministral-8B'],
    config: sizes('mistral', [4096, 36, 32, 8, 12_288, 131_072, 32_768], { head_dim: 128, sliding_window: 32_768 }),
    source: hub('rivaon/sydney'),
  },
  {
    name: 'mistralai/Mistral-Large-Instruct-2407',
    aliases: ['Mistral-Large-Instruct-2411', 'Mistral-Large'],
    config: sizes('mistral', [12_288, 88, 96, 8, 28_672, 32_768, 131_072], { ...FAR, head_dim: 128 }),
    source: LITGPT,
  },
  {
    name: 'mistralai/Mixtral-8x7B-v0.1',
    aliases: ['Mixtral-8x7B-Instruct-v0.1', 'Mixtral-8x7B'],
    config: sizes('mixtral', [4096, 32, 32, 8, 14_336, 32_000, 32_768], MIXTRAL),
    source: MLC,
    published: { params: '46.7B', source: 'https://mistral.ai/news/mixtral-of-experts' },
  },
  {
    name: 'mistralai/Mixtral-8x22B-v0.1',
    aliases: ['Mixtral-8x22B-Instruct-v0.1', 'Mixtral-8x22B'],
    config: sizes('mixtral', [6144, 56, 48, 8, 16_384, 32_768, 65_536], MIXTRAL),
    source: LITGPT,
    published: { params: '141B', source: 'https://mistral.ai/news/mixtral-8x22b' },
  },
  {
    name: 'google/gemma-2b',
    aliases: ['gemma-1.1-2b-it'],
    config: sizes('gemma', [2048, 18, 8, 1, 16_384, 256_000, 8192], GEMMA),
    source: LITGPT,
    published: { params: '2506172416', source: PROVENANCE },
  },
  {
    name: 'google/gemma-7b',
    aliases: ['codegemma-7b', 'gemma-1.1-7b-it'],
    config: sizes('gemma', [3072, 28, 16, 16, 24_576, 256_000, 8192], GEMMA),
    source: LITGPT,
  },
  {
    name: 'google/gemma-2-2b',
    config: sizes('gemma2', [2304, 26, 8, 4, 9216, 256_000, 8192], { head_dim: 256, sliding_window: 4096 }),
    source: MLC,
    published: { params: '2614341888', source: PROVENANCE },
  },
  {
    name: 'google/gemma-2-9b',
    config: sizes('gemma2', [3584, 42, 16, 8, 14_336, 256_000, 8192], { head_dim: 256, sliding_window: 4096 }),
    source: MLC,
  },
  {
    name: 'google/gemma-2-27b',
    config: sizes('gemma2', [4608, 46, 32, 16, 36_864, 256_000, 8192], { head_dim: 128, sliding_window: 4096 }),
    source: MLC,
  },
  {
    name: 'google/gemma-3-270m',
    config: sizes('gemma3_text', [640, 18, 4, 1, 2048, 262_144, 32_768], { head_dim: 256, sliding_window: 512 }),
    source: card('google/gemma-3-270m'),
    published: {
      params: '268098176',
      source: repository('unslothai/notebooks', 'nb/Gemma3_(270M)_Phone_Deployment.ipynb'),
    },
  },
  {
    name: 'google/gemma-3-1b-pt',
    config: sizes('gemma3_text', [1152, 26, 4, 1, 6912, 262_144, 32_768], { head_dim: 256, sliding_window: 512 }),
    source: MLC,
  },
  {
    name: 'google/gemma-3-4b-pt',
    sees: true,
    config: sizes('gemma3_text', [2560, 34, 8, 4, 10_240, 262_208, 131_072], { head_dim: 256, sliding_window: 1024 }),
    source: NEMO_GEMMA3,
  },
  {
    name: 'google/gemma-3-12b-pt',
    sees: true,
    config: sizes('gemma3_text', [3840, 48, 16, 8, 15_360, 262_208, 131_072], { head_dim: 256, sliding_window: 1024 }),
    source: NEMO_GEMMA3,
  },
  {
    name: 'google/gemma-3-27b-pt',
    sees: true,
    config: sizes('gemma3_text', [5376, 62, 32, 16, 21_504, 262_208, 131_072], { head_dim: 128, sliding_window: 1024 }),
    source: NEMO_GEMMA3,
  },
  { name: 'microsoft/phi-1_5', aliases: ['phi-1'], config: sizes('phi', [2048, 24, 32, 32, 8192, 51_200, 2048]), source: LITGPT },
  {
    name: 'microsoft/phi-2',
    config: sizes('phi', [2560, 32, 32, 32, 10_240, 51_200, 2048]),
    source: LITGPT,
    published: { params: '2779683840', source: repository('Lightning-AI/litgpt', 'tutorials/0_to_litgpt.md') },
  },
  {
    name: 'microsoft/Phi-3-mini-4k-instruct',
    aliases: ['Phi-3-mini'],
    config: sizes('phi3', [3072, 32, 32, 32, 8192, 32_064, 4096], { sliding_window: 2047 }),
    source: LITGPT,
    published: { params: '3821079552', source: PROVENANCE },
  },
  {
    name: 'microsoft/Phi-3.5-mini-instruct',
    aliases: ['Phi-3-mini-128k-instruct'],
    config: sizes('phi3', [3072, 32, 32, 32, 8192, 32_064, 131_072], { sliding_window: 262_144 }),
    source: MLC,
  },
  {
    name: 'microsoft/Phi-3-medium-4k-instruct',
    aliases: ['Phi-3-medium'],
    config: sizes('phi3', [5120, 40, 40, 10, 17_920, 32_064, 4096], { sliding_window: 2047 }),
    source: hub('microsoft/Phi-3-medium-4k-instruct'),
  },
  {
    name: 'microsoft/Phi-4-mini-instruct',
    aliases: ['Phi-4-mini-reasoning', 'Phi-4-mini'],
    config: sizes('phi3', [3072, 32, 24, 8, 8192, 200_064, 131_072], { ...TIED, sliding_window: 262_144 }),
    source: MLC,
  },
  {
    name: 'microsoft/phi-4',
    aliases: ['Phi-4-reasoning', 'Phi-4-reasoning-plus'],
    config: sizes('phi3', [5120, 40, 40, 10, 17_920, 100_352, 16_384]),
    source: LITGPT,
  },
  {
    name: 'microsoft/Phi-3.5-MoE-instruct',
    aliases: ['Phi-3.5-MoE'],
    config: sizes('phimoe', [4096, 32, 32, 8, 6400, 32_064, 131_072], {
      num_local_experts: 16,
      num_experts_per_tok: 2,
      attention_bias: true,
      lm_head_bias: true,
      sliding_window: 131_072,
    }),
    source: 'https://huggingface.co/microsoft/Phi-tiny-MoE-instruct/blob/main/configuration_slimmoe.py',
  },
  {
    name: 'openai/gpt-oss-20b',
    config: sizes('gpt_oss', [2880, 24, 64, 8, 2880, 201_088, 131_072], { ...GPT_OSS, num_local_experts: 32 }),
    source: NEMO_GPT_OSS,
    published: { params: '20914757184', source: megatronCard('gpt-oss-20b') },
  },
  {
    name: 'openai/gpt-oss-120b',
    config: sizes('gpt_oss', [2880, 36, 64, 8, 2880, 201_088, 131_072], { ...GPT_OSS, num_local_experts: 128 }),
    source: NEMO_GPT_OSS,
    published: { params: '116829156672', source: megatronCard('gpt-oss-120b') },
  },
  {
    name: 'THUDM/glm-4-9b-chat-hf',
    aliases: ['glm-4-9b-chat', 'glm-4-9b'],
    config: sizes('glm', [4096, 40, 32, 2, 13_696, 151_552, 131_072], { head_dim: 128, attention_bias: true }),
    source: hub('THUDM/glm-4-9b-chat'),
  },
];
