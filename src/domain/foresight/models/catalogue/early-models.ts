import {
  type CatalogueModel,
  card,
  GPU_POOR,
  LITGPT,
  llmAnalysis,
  MLC,
  PROVENANCE,
  repository,
  sizes,
} from './catalogue-model.ts';

const BLOOM_PAPER = 'https://arxiv.org/abs/2211.05100';
const FLEXGEN = repository('FMInference/FlexLLMGen', 'flexllmgen/opt_config.py');

type Three = [hidden: number, layers: number, heads: number];

/** Pythia and its like: hidden, layers, heads, vocabulary. */
function neox([hidden_size, num_hidden_layers, num_attention_heads, vocab_size]: [...Three, number], context = 2048) {
  const sizes = { hidden_size, num_hidden_layers, num_attention_heads, vocab_size, intermediate_size: 4 * hidden_size };
  return { model_type: 'gpt_neox', ...sizes, max_position_embeddings: context, tie_word_embeddings: false };
}

/** The GPTs: hidden, layers, heads, vocabulary, context. */
function gpt(model_type: string, [hidden, layers, heads, vocab_size, context]: [...Three, number, number]) {
  if (model_type !== 'gpt_neo')
    return { model_type, n_embd: hidden, n_layer: layers, n_head: heads, vocab_size, n_positions: context };
  const attention_types = [[['global', 'local'], layers / 2]];
  const sizes = { hidden_size: hidden, num_layers: layers, num_heads: heads, vocab_size, max_position_embeddings: context };
  return { model_type, ...sizes, attention_types };
}

function opt([hidden_size, num_hidden_layers, num_attention_heads]: Three) {
  const sizes = {
    hidden_size,
    num_hidden_layers,
    num_attention_heads,
    ffn_dim: 4 * hidden_size,
    word_embed_proj_dim: hidden_size,
  };
  return { model_type: 'opt', ...sizes, vocab_size: 50_272, max_position_embeddings: 2048 };
}

function bloom([hidden_size, n_layer, n_head]: Three) {
  return { model_type: 'bloom', hidden_size, n_layer, n_head, vocab_size: 250_880 };
}

function falcon([hidden_size, num_hidden_layers, num_attention_heads]: Three, more: Record<string, unknown>) {
  const sizes = { hidden_size, num_hidden_layers, num_attention_heads, vocab_size: 65_024, max_position_embeddings: 2048 };
  return { model_type: 'falcon', ...sizes, parallel_attn: true, bias: false, alibi: false, ...more };
}

export const EARLY_MODELS: CatalogueModel[] = [
  {
    name: 'EleutherAI/pythia-14m',
    config: neox([128, 6, 4, 50_304]),
    source: LITGPT,
    published: { params: '14067712', source: repository('Lightning-AI/litgpt', 'tests/test_utils.py') },
  },
  { name: 'EleutherAI/pythia-31m', config: neox([256, 6, 8, 50_304]), source: LITGPT },
  {
    name: 'EleutherAI/pythia-70m',
    config: neox([512, 6, 8, 50_304]),
    source: LITGPT,
    published: { params: '70426624', source: card('EleutherAI/pythia-70m') },
  },
  {
    name: 'EleutherAI/pythia-160m',
    config: neox([768, 12, 12, 50_304]),
    source: LITGPT,
    published: { params: '162322944', source: card('EleutherAI/pythia-160m') },
  },
  {
    name: 'EleutherAI/pythia-410m',
    config: neox([1024, 24, 16, 50_304]),
    source: LITGPT,
    published: { params: '405334016', source: card('EleutherAI/pythia-410m') },
  },
  {
    name: 'EleutherAI/pythia-1b',
    config: neox([2048, 16, 8, 50_304]),
    source: LITGPT,
    published: { params: '1011781632', source: card('EleutherAI/pythia-1b') },
  },
  {
    name: 'EleutherAI/pythia-1.4b',
    config: neox([2048, 24, 16, 50_304]),
    source: LITGPT,
    published: { params: '1414647808', source: card('EleutherAI/pythia-1.4b') },
  },
  {
    name: 'EleutherAI/pythia-2.8b',
    config: neox([2560, 32, 32, 50_304]),
    source: LITGPT,
    published: { params: '2775208960', source: card('EleutherAI/pythia-2.8b') },
  },
  {
    name: 'EleutherAI/pythia-6.9b',
    config: neox([4096, 32, 32, 50_432]),
    source: LITGPT,
    published: { params: '6857302016', source: card('EleutherAI/pythia-6.9b') },
  },
  {
    name: 'EleutherAI/pythia-12b',
    config: neox([5120, 36, 40, 50_688]),
    source: LITGPT,
    published: { params: '11846072320', source: card('EleutherAI/pythia-12b') },
  },
  { name: 'EleutherAI/gpt-neox-20b', config: neox([6144, 44, 64, 50_432]), source: GPU_POOR },
  {
    name: 'togethercomputer/RedPajama-INCITE-Base-3B-v1',
    aliases: ['RedPajama-INCITE-Chat-3B-v1', 'RedPajama-INCITE-Instruct-3B-v1'],
    config: neox([2560, 32, 32, 50_432]),
    source: MLC,
  },
  { name: 'databricks/dolly-v2-3b', config: neox([2560, 32, 32, 50_280]), source: GPU_POOR },
  { name: 'databricks/dolly-v2-7b', config: neox([4096, 32, 32, 50_280]), source: GPU_POOR },
  { name: 'databricks/dolly-v2-12b', config: neox([5120, 36, 40, 50_280]), source: GPU_POOR },
  {
    name: 'stabilityai/stablelm-base-alpha-3b',
    aliases: ['stablelm-tuned-alpha-3b'],
    config: neox([4096, 16, 32, 50_688], 4096),
    source: LITGPT,
  },
  {
    name: 'stabilityai/stablelm-base-alpha-7b',
    aliases: ['stablelm-tuned-alpha-7b'],
    config: neox([6144, 16, 48, 50_432], 4096),
    source: LITGPT,
  },
  {
    name: 'stabilityai/stablelm-3b-4e1t',
    aliases: ['stablelm-zephyr-3b', 'StableLM-3B'],
    config: sizes('stablelm', [2560, 32, 32, 32, 6912, 50_304, 4096]),
    source: MLC,
    published: { params: '2795443200', source: repository('Stability-AI/StableLM', 'README.md') },
  },
  {
    name: 'stabilityai/stablelm-2-1_6b',
    aliases: ['stablelm-2-zephyr-1_6b', 'stablelm-2-1.6b'],
    config: sizes('stablelm', [2048, 24, 32, 32, 5632, 100_352, 4096], { use_qkv_bias: true }),
    source: MLC,
  },
  {
    name: 'stabilityai/stablelm-2-12b',
    config: sizes('stablelm', [5120, 40, 32, 8, 13_824, 100_352, 4096], { qk_layernorm: true, use_parallel_residual: true }),
    source: repository('Stability-AI/StableLM', 'configs/stablelm-2-12b.yml'),
  },
  {
    name: 'openai-community/gpt2',
    aliases: ['gpt2-small'],
    config: gpt('gpt2', [768, 12, 12, 50_257, 1024]),
    source: llmAnalysis('gpt2'),
    published: { params: '124439808', source: PROVENANCE },
  },
  {
    name: 'openai-community/gpt2-medium',
    config: gpt('gpt2', [1024, 24, 16, 50_257, 1024]),
    source: llmAnalysis('gpt2-medium'),
    published: { params: '354823168', source: PROVENANCE },
  },
  {
    name: 'openai-community/gpt2-large',
    config: gpt('gpt2', [1280, 36, 20, 50_257, 1024]),
    source: llmAnalysis('gpt2-large'),
    published: { params: '774030080', source: PROVENANCE },
  },
  {
    name: 'openai-community/gpt2-xl',
    config: gpt('gpt2', [1600, 48, 25, 50_257, 1024]),
    source: llmAnalysis('gpt2-xl'),
    published: { params: '1558M', source: repository('openai/gpt-2', 'DEVELOPERS.md') },
  },
  {
    name: 'distilbert/distilgpt2',
    config: gpt('gpt2', [768, 6, 12, 50_257, 1024]),
    source: llmAnalysis('distilgpt2'),
    published: { params: '81912576', source: PROVENANCE },
  },
  { name: 'EleutherAI/gpt-j-6b', aliases: ['GPT-J'], config: gpt('gptj', [4096, 28, 16, 50_400, 2048]), source: MLC },
  {
    name: 'EleutherAI/gpt-neo-125m',
    config: gpt('gpt_neo', [768, 12, 12, 50_257, 2048]),
    source: llmAnalysis('EleutherAI_gpt-neo-125m'),
    published: { params: '125198592', source: PROVENANCE },
  },
  {
    name: 'EleutherAI/gpt-neo-1.3B',
    config: gpt('gpt_neo', [2048, 24, 16, 50_257, 2048]),
    source: llmAnalysis('EleutherAI_gpt-neo-1.3B'),
  },
  {
    name: 'EleutherAI/gpt-neo-2.7B',
    config: gpt('gpt_neo', [2560, 32, 20, 50_257, 2048]),
    source: llmAnalysis('EleutherAI_gpt-neo-2.7B'),
  },
  {
    name: 'facebook/opt-125m',
    config: opt([768, 12, 12]),
    source: FLEXGEN,
    published: { params: '125239296', source: PROVENANCE },
  },
  { name: 'facebook/opt-1.3b', config: opt([2048, 24, 32]), source: FLEXGEN },
  { name: 'facebook/opt-2.7b', config: opt([2560, 32, 32]), source: FLEXGEN },
  {
    name: 'facebook/opt-6.7b',
    config: opt([4096, 32, 32]),
    source: FLEXGEN,
    published: {
      params: '6658473984',
      source: repository('huggingface/peft', 'examples/int8_training/Finetune_opt_bnb_peft.ipynb'),
    },
  },
  { name: 'facebook/opt-13b', config: opt([5120, 40, 40]), source: FLEXGEN },
  { name: 'facebook/opt-30b', config: opt([7168, 48, 56]), source: FLEXGEN },
  { name: 'facebook/opt-66b', config: opt([9216, 64, 72]), source: FLEXGEN },
  {
    name: 'bigscience/bloom-560m',
    aliases: ['bloomz-560m'],
    config: bloom([1024, 24, 16]),
    source: BLOOM_PAPER,
    published: { params: '559M', source: BLOOM_PAPER },
  },
  {
    name: 'bigscience/bloom-1b1',
    aliases: ['bloomz-1b1'],
    config: bloom([1536, 24, 16]),
    source: BLOOM_PAPER,
    published: { params: '1065M', source: BLOOM_PAPER },
  },
  {
    name: 'bigscience/bloom-1b7',
    aliases: ['bloomz-1b7'],
    config: bloom([2048, 24, 16]),
    source: BLOOM_PAPER,
    published: { params: '1722M', source: BLOOM_PAPER },
  },
  {
    name: 'bigscience/bloom-3b',
    aliases: ['bloomz-3b'],
    config: bloom([2560, 30, 32]),
    source: BLOOM_PAPER,
    published: { params: '3003M', source: BLOOM_PAPER },
  },
  {
    name: 'bigscience/bloom-7b1',
    aliases: ['bloomz-7b1'],
    config: bloom([4096, 30, 32]),
    source: BLOOM_PAPER,
    published: { params: '7069M', source: BLOOM_PAPER },
  },
  {
    name: 'bigscience/bloom',
    aliases: ['bloomz', 'bloom-176b'],
    config: bloom([14_336, 70, 112]),
    source: BLOOM_PAPER,
    published: { params: '176247M', source: BLOOM_PAPER },
  },
  { name: 'tiiuae/falcon-7b', config: falcon([4544, 32, 71], { multi_query: true }), source: LITGPT },
  {
    name: 'tiiuae/falcon-40b',
    config: falcon([8192, 60, 128], { new_decoder_architecture: true, num_kv_heads: 8 }),
    source: LITGPT,
  },
  {
    name: 'tiiuae/falcon-180B',
    config: falcon([14_848, 80, 232], { new_decoder_architecture: true, num_kv_heads: 8 }),
    source: LITGPT,
  },
];
