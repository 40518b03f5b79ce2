import {
  CALFLOPS,
  type CatalogueModel,
  card,
  GPU_POOR,
  hub,
  LITGPT,
  MLC,
  PROVENANCE,
  repository,
  sizes,
  TIED,
} from './catalogue-model.ts';

const QWEN3 = { head_dim: 128 };
const NEMO_QWEN3 = repository('NVIDIA-NeMo/NeMo', 'nemo/collections/llm/gpt/model/qwen3.py');

/** Qwen 1: hidden, layers, heads, both halves of the MLP, vocabulary. */
function qwen1([hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, vocab_size]: [
  number,
  number,
  number,
  number,
  number,
]) {
  const sizes = { hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, vocab_size };
  return { model_type: 'qwen', ...sizes, kv_channels: 128, no_bias: true, tie_word_embeddings: false, seq_length: 8192 };
}

export const QWEN_MODELS: CatalogueModel[] = [
  {
    name: 'Qwen/Qwen-1_8B',
    aliases: ['Qwen-1.8B'],
    config: qwen1([2048, 24, 16, 11_008, 151_936]),
    source: repository('alibaba/Pai-Megatron-Patch', 'examples/qwen/run_pretrain_megatron_qwen.sh'),
    published: { params: '1.8B', source: card('Qwen/Qwen-1_8B') },
  },
  {
    name: 'Qwen/Qwen-7B',
    config: qwen1([4096, 32, 32, 22_016, 151_936]),
    source: repository('alibaba/Pai-Megatron-Patch', 'examples/qwen/run_pretrain_megatron_qwen.sh'),
    published: { params: '7721324544', source: CALFLOPS },
  },
  {
    name: 'Qwen/Qwen-14B',
    config: qwen1([5120, 40, 40, 27_392, 152_064]),
    source: GPU_POOR,
    published: { params: '14B', source: card('Qwen/Qwen-14B') },
  },
  {
    name: 'Qwen/Qwen-72B',
    config: qwen1([8192, 80, 64, 49_152, 152_064]),
    source: repository('microsoft/vidur', 'vidur/config/model_config.py'),
    published: { params: '72B', source: card('Qwen/Qwen-72B') },
  },
  {
    name: 'Qwen/Qwen1.5-0.5B',
    config: sizes('qwen2', [1024, 24, 16, 16, 2816, 151_936, 32_768], TIED),
    source: hub('RESMPDEV/Qwen1.5-Wukong-0.5B'),
  },
  {
    name: 'Qwen/Qwen1.5-1.8B',
    config: sizes('qwen2', [2048, 24, 16, 16, 5504, 151_936, 32_768]),
    source: hub('Qwen/Qwen1.5-1.8B'),
  },
  {
    name: 'Qwen/Qwen1.5-4B',
    config: sizes('qwen2', [2560, 40, 20, 20, 6912, 151_936, 32_768]),
    source: repository('alibaba/Pai-Megatron-Patch', 'examples/qwen1_5/run_pretrain_mcore_qwen.sh'),
  },
  {
    name: 'Qwen/Qwen1.5-7B',
    config: sizes('qwen2', [4096, 32, 32, 32, 11_008, 151_936, 32_768]),
    source: repository('alibaba/Pai-Megatron-Patch', 'examples/qwen1_5/run_pretrain_mcore_qwen.sh'),
  },
  {
    name: 'Qwen/Qwen1.5-14B',
    config: sizes('qwen2', [5120, 40, 40, 40, 13_696, 152_064, 32_768]),
    source: hub('Qwen/Qwen1.5-14B-Chat'),
    published: { params: '14167290880', source: card('SakuraLLM/Sakura-14B-Qwen2beta-v0.9.2-GGUF') },
  },
  {
    name: 'Qwen/Qwen1.5-32B',
    config: sizes('qwen2', [5120, 64, 40, 8, 27_392, 152_064, 32_768]),
    source: hub('ecnu-icalk/educhat-sft-002-32b-qwen1.5'),
  },
  {
    name: 'Qwen/Qwen1.5-72B',
    config: sizes('qwen2', [8192, 80, 64, 64, 24_576, 152_064, 32_768]),
    source: repository('alibaba/Pai-Megatron-Patch', 'examples/qwen1_5/run_pretrain_mcore_qwen.sh'),
  },
  {
    name: 'Qwen/Qwen1.5-110B',
    config: sizes('qwen2', [8192, 80, 64, 8, 49_152, 152_064, 32_768]),
    source: hub('second-state/Qwen1.5-110B-Chat-GGUF'),
  },
  {
    name: 'Qwen/CodeQwen1.5-7B',
    config: sizes('qwen2', [4096, 32, 32, 4, 13_440, 92_416, 65_536]),
    source: hub('Qwen/CodeQwen1.5-7B-Chat'),
  },
  {
    name: 'Qwen/Qwen1.5-MoE-A2.7B',
    config: sizes('qwen2_moe', [2048, 24, 16, 16, 5632, 151_936, 8192], {
      num_experts: 60,
      num_experts_per_tok: 4,
      moe_intermediate_size: 1408,
      shared_expert_intermediate_size: 5632,
    }),
    source: MLC,
  },
  {
    name: 'Qwen/Qwen2.5-0.5B',
    aliases: ['Qwen2-0.5B', 'Qwen2.5-Coder-0.5B'],
    config: sizes('qwen2', [896, 24, 14, 2, 4864, 151_936, 32_768], TIED),
    source: MLC,
    published: { params: '494032768', source: PROVENANCE },
  },
  {
    name: 'Qwen/Qwen2.5-1.5B',
    aliases: ['Qwen2-1.5B', 'Qwen2.5-Coder-1.5B', 'Qwen2.5-Math-1.5B'],
    config: sizes('qwen2', [1536, 28, 12, 2, 8960, 151_936, 131_072], TIED),
    source: MLC,
    published: { params: '1543714304', source: PROVENANCE },
  },
  {
    name: 'deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B',
    config: sizes('qwen2', [1536, 28, 12, 2, 8960, 151_936, 131_072]),
    source: hub('onnx-community/DeepSeek-R1-Distill-Qwen-1.5B-ONNX'),
  },
  {
    name: 'Qwen/Qwen2.5-3B',
    aliases: ['Qwen2.5-Coder-3B'],
    config: sizes('qwen2', [2048, 36, 16, 2, 11_008, 151_936, 32_768], TIED),
    source: MLC,
    published: { params: '3085938688', source: repository('huggingface/peft', 'README.md') },
  },
  {
    name: 'Qwen/Qwen2.5-7B',
    aliases: ['Qwen2-7B', 'Qwen2.5-Coder-7B', 'Qwen2.5-Math-7B', 'DeepSeek-R1-Distill-Qwen-7B', 'Qwen2.5-7B-Instruct-1M'],
    config: sizes('qwen2', [3584, 28, 28, 4, 18_944, 152_064, 131_072]),
    source: LITGPT,
    published: { params: '7615616512', source: card('Qwen/Qwen2.5-7B-Instruct') },
  },
  {
    name: 'Qwen/Qwen2.5-14B',
    aliases: ['Qwen2.5-Coder-14B', 'DeepSeek-R1-Distill-Qwen-14B', 'Qwen2.5-14B-Instruct-1M'],
    config: sizes('qwen2', [5120, 48, 40, 8, 13_824, 152_064, 131_072]),
    source: LITGPT,
  },
  {
    name: 'Qwen/Qwen2.5-32B',
    aliases: ['Qwen2.5-Coder-32B', 'QwQ-32B', 'DeepSeek-R1-Distill-Qwen-32B'],
    config: sizes('qwen2', [5120, 64, 40, 8, 27_648, 152_064, 131_072]),
    source: LITGPT,
  },
  {
    name: 'Qwen/Qwen2.5-72B',
    aliases: ['Qwen2-72B', 'Qwen2.5-Math-72B'],
    config: sizes('qwen2', [8192, 80, 64, 8, 29_568, 152_064, 131_072]),
    source: LITGPT,
    published: { params: '72.7B', source: card('Qwen/Qwen2.5-72B') },
  },
  {
    name: 'Qwen/Qwen2-57B-A14B',
    config: sizes('qwen2_moe', [3584, 28, 28, 4, 18_944, 151_936, 131_072], {
      num_experts: 64,
      num_experts_per_tok: 8,
      moe_intermediate_size: 2560,
      shared_expert_intermediate_size: 20_480,
    }),
    source: repository('alibaba/Pai-Megatron-Patch', 'examples/qwen2/run_mcore_qwen.sh'),
  },
  {
    name: 'Qwen/Qwen3-0.6B',
    config: sizes('qwen3', [1024, 28, 16, 8, 3072, 151_936, 40_960], { ...QWEN3, ...TIED }),
    source: NEMO_QWEN3,
    published: { params: '0.6B', source: card('Qwen/Qwen3-0.6B') },
  },
  {
    name: 'Qwen/Qwen3-1.7B',
    config: sizes('qwen3', [2048, 28, 16, 8, 6144, 151_936, 40_960], { ...QWEN3, ...TIED }),
    source: NEMO_QWEN3,
    published: { params: '1.7B', source: card('Qwen/Qwen3-1.7B') },
  },
  {
    name: 'Qwen/Qwen3-4B',
    aliases: ['Qwen3-4B-Instruct-2507', 'Qwen3-4B-Thinking-2507'],
    config: sizes('qwen3', [2560, 36, 32, 8, 9728, 151_936, 40_960], { ...QWEN3, ...TIED }),
    source: NEMO_QWEN3,
    published: { params: '4.0B', source: card('Qwen/Qwen3-4B') },
  },
  {
    name: 'Qwen/Qwen3-8B',
    aliases: ['DeepSeek-R1-0528-Qwen3-8B'],
    config: sizes('qwen3', [4096, 36, 32, 8, 12_288, 151_936, 40_960], QWEN3),
    source: NEMO_QWEN3,
    published: { params: '8.2B', source: card('Qwen/Qwen3-8B') },
  },
  {
    name: 'Qwen/Qwen3-14B',
    config: sizes('qwen3', [5120, 40, 40, 8, 17_408, 151_936, 40_960], QWEN3),
    source: NEMO_QWEN3,
    published: { params: '14.8B', source: card('Qwen/Qwen3-14B') },
  },
  {
    name: 'Qwen/Qwen3-32B',
    config: sizes('qwen3', [5120, 64, 64, 8, 25_600, 151_936, 40_960], QWEN3),
    source: NEMO_QWEN3,
    published: { params: '32.8B', source: card('Qwen/Qwen3-32B') },
  },
  {
    name: 'Qwen/Qwen3-30B-A3B',
    aliases: ['Qwen3-30B-A3B-Instruct-2507', 'Qwen3-30B-A3B-Thinking-2507'],
    config: sizes('qwen3_moe', [2048, 48, 32, 4, 6144, 151_936, 40_960], {
      ...QWEN3,
      num_experts: 128,
      num_experts_per_tok: 8,
      moe_intermediate_size: 768,
    }),
    source: NEMO_QWEN3,
    published: { params: '30.5B', source: card('Qwen/Qwen3-30B-A3B') },
  },
  {
    name: 'Qwen/Qwen3-235B-A22B',
    aliases: ['Qwen3-235B-A22B-Instruct-2507', 'Qwen3-235B-A22B-Thinking-2507'],
    config: sizes('qwen3_moe', [4096, 94, 64, 4, 12_288, 151_936, 40_960], {
      ...QWEN3,
      num_experts: 128,
      num_experts_per_tok: 8,
      moe_intermediate_size: 1536,
    }),
    source: NEMO_QWEN3,
    published: { params: '235B', source: card('Qwen/Qwen3-235B-A22B') },
  },
];
