/** The planner's counts against models as transformers builds them, on the meta device, and adapters as PEFT puts them on. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { CATALOGUE } from '#/domain/foresight/models/find-model.ts';
import type { ModelShape } from '#/domain/foresight/models/model-shape.ts';
import { countAdapterParameters, countParameters, linearsOf } from '#/domain/foresight/models/parameter-counts.ts';
import { FAMILIES } from '#/domain/foresight/models/shape-families.ts';
import { shapeOf } from '#/domain/foresight/models/shape-of-config.ts';

interface Linear {
  weights: number;
  biases: number;
  modules: number;
}
interface Built {
  counts: { embedding: number; positions: number; head: number; norms: number; total: number; linears: Record<string, Linear> };
  /** null: PEFT refuses it. */
  adapters: Array<number | null>;
}

/** Families that this transformers does not build. */
const UNBUILDABLE = new Set(['baichuan', 'stablelm_epoch', 'qwen']);

const SIZES = {
  hidden_size: 64,
  num_hidden_layers: 5,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 96,
  vocab_size: 512,
  max_position_embeddings: 128,
};
const GPT = { n_embd: 64, n_layer: 3, n_head: 4, vocab_size: 512, n_positions: 128 };
const { num_key_value_heads, intermediate_size, ...MULTI_HEAD } = SIZES;
const EXPERTS = { num_experts_per_tok: 2, moe_intermediate_size: 32 };
const LATENT = { kv_lora_rank: 24, qk_rope_head_dim: 8, qk_nope_head_dim: 16, v_head_dim: 12, n_routed_experts: 8 };

/** What no model of the catalogue shows: one small config for each family and each habit that a config switches. */
const SMALL: Array<[model_type: string, sizes: object, ...changes: object[]]> = [
  ['llama', SIZES, {}, { attention_bias: true, mlp_bias: true }],
  ['mistral', SIZES, { head_dim: 32 }],
  ['ministral', SIZES, { head_dim: 16 }],
  ['ministral3', SIZES, { head_dim: 16 }],
  ['qwen2', SIZES, {}],
  ['qwen3', SIZES, {}, { attention_bias: true, tie_word_embeddings: true }],
  ['gemma', SIZES, {}],
  ['gemma2', SIZES, {}],
  ['gemma3_text', SIZES, {}],
  ['phi3', SIZES, {}],
  ['stablelm', SIZES, {}, { use_qkv_bias: true, use_parallel_residual: true, qk_layernorm: true }],
  ['olmo', SIZES, {}],
  ['olmo2', SIZES, {}],
  ['olmo3', SIZES, {}],
  ['starcoder2', SIZES, {}, { use_bias: false }],
  ['cohere', SIZES, {}, { use_qk_norm: true }],
  ['cohere2', SIZES, {}],
  ['granite', SIZES, {}],
  ['smollm3', SIZES, {}],
  ['glm', SIZES, {}],
  ['glm4', SIZES, {}, { attention_bias: false }],
  ['seed_oss', SIZES, {}],
  ['nemotron', SIZES, {}],
  ['arcee', SIZES, {}],
  ['helium', SIZES, { head_dim: 16 }],
  ['gpt2', GPT, {}],
  ['gptj', GPT, {}],
  ['codegen', GPT, {}],
  ['gpt_bigcode', GPT, {}, { multi_query: false }],
  [
    'gpt_neo',
    { hidden_size: 64, num_layers: 2, num_heads: 4, vocab_size: 512 },
    { max_position_embeddings: 128, attention_types: [[['global'], 2]] },
  ],
  ['gpt_neox', SIZES, {}, { attention_bias: false }],
  ['phi', SIZES, {}, { qk_layernorm: true }],
  ['mpt', { d_model: 64, n_heads: 4, n_layers: 3, vocab_size: 512, max_seq_len: 128 }, {}],
  [
    'opt',
    { ...MULTI_HEAD, ffn_dim: 96 },
    {},
    { do_layer_norm_before: false, enable_bias: false, layer_norm_elementwise_affine: false },
  ],
  ['bloom', { hidden_size: 64, n_layer: 3, n_head: 4, vocab_size: 512 }, {}],
  [
    'falcon',
    MULTI_HEAD,
    {},
    { new_decoder_architecture: true, num_kv_heads: 2 },
    { new_decoder_architecture: true, num_kv_heads: 2, num_ln_in_parallel_attn: 1 },
    { multi_query: false, parallel_attn: false, bias: true, alibi: true },
  ],
  ['mixtral', SIZES, { num_local_experts: 6, num_experts_per_tok: 2 }],
  [
    'qwen2_moe',
    { ...SIZES, ...EXPERTS, num_experts: 6, shared_expert_intermediate_size: 48 },
    {},
    { decoder_sparse_step: 2, mlp_only_layers: [0, 1, 9] },
  ],
  ['qwen3_moe', { ...SIZES, ...EXPERTS, num_experts: 6 }, {}, { mlp_only_layers: [1] }],
  ['olmoe', { ...SIZES, num_experts: 6, num_experts_per_tok: 2 }, {}],
  ['phimoe', { ...SIZES, num_local_experts: 6, num_experts_per_tok: 2 }, {}, { attention_bias: true, lm_head_bias: true }],
  ['gpt_oss', { ...SIZES, num_local_experts: 6, num_experts_per_tok: 2 }, {}],
  ['granitemoe', { ...SIZES, num_local_experts: 6, num_experts_per_tok: 2 }, {}],
  [
    'deepseek_v2',
    { ...SIZES, ...EXPERTS, ...LATENT, num_key_value_heads: 4, n_shared_experts: 2, first_k_dense_replace: 1 },
    { q_lora_rank: null },
    { q_lora_rank: 40 },
  ],
  [
    'deepseek_v3',
    { ...SIZES, ...EXPERTS, ...LATENT, num_key_value_heads: 4, n_shared_experts: 1, first_k_dense_replace: 2 },
    { q_lora_rank: 40, n_group: 2, topk_group: 1, num_nextn_predict_layers: 1 },
  ],
];

const small = SMALL.flatMap(([model_type, sizes, ...changes]) =>
  changes.map((change) => ({
    name: `small ${model_type} ${JSON.stringify(change)}`,
    config: { model_type, ...sizes, ...change },
  })),
);

const shapes = [...small, ...CATALOGUE].map(({ name, config }) => {
  const read = shapeOf(config);
  if (!read.ok) throw new Error(`${name}: ${read.reason}`);
  return { name, config, shape: read.shape };
});
const buildable = shapes.filter(({ shape }) => !UNBUILDABLE.has(shape.family));

function adaptersOf(shape: ModelShape) {
  const attention = linearsOf(shape, 'attention');
  if (!attention.ok) throw new Error(attention.reason);
  const names = [...new Set(attention.linears.map(({ linear }) => linear.name))];
  const few = names.filter((name) => ['q_proj', 'v_proj', 'query_key_value', 'c_attn', 'qkv_proj'].includes(name));
  return ['all-linear' as const, names, few].flatMap((targets) => [false, true].map((dora) => ({ rank: 16, targets, dora })));
}

/** Adapters take time to put on: they go on the first of each family. */
const first = new Set([...Map.groupBy(buildable, ({ shape }) => shape.family).values()].map((models) => models[0]?.name));
const requests = buildable.map(({ name, config, shape }) => ({
  config,
  adapters: first.has(name) ? adaptersOf(shape) : [],
}));

/** One process for all: its imports cost more than any model. */
function build(): Built[] {
  const python = new URL('../trainer/.venv/bin/python', import.meta.url).pathname;
  const program = new URL('../trainer/tests/model_shapes.py', import.meta.url).pathname;
  const input = requests.map((request) => JSON.stringify(request)).join('\n');
  const done = spawnSync(python, [program], { input, encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 240_000 });
  if (done.status !== 0) throw new Error(`${done.error ?? ''} ${done.stderr}`);
  return done.stdout
    .trim()
    .split('\n')
    .map((line): Built => JSON.parse(line));
}

/** The planner's linears as the built model's are counted: summed by name. */
function linearsByName(shape: ModelShape): Record<string, Linear> {
  const all: Record<string, Linear> = {};
  for (const block of shape.blocks) {
    for (const { name, inputs, outputs, bias, count, is_module } of block.linears) {
      const { weights, biases, modules } = all[name] ?? { weights: 0, biases: 0, modules: 0 };
      const each = block.count * count;
      all[name] = {
        weights: weights + each * inputs * outputs,
        biases: biases + (bias ? each * outputs : 0),
        modules: modules + (is_module ? each : 0),
      };
    }
  }
  return all;
}

it('every family and model of the catalogue counts as transformers builds it: in all, by part, by linear, and adapters as PEFT', () => {
  const built = build();
  expect(built).toHaveLength(buildable.length);
  for (const [at, { name, shape }] of buildable.entries()) {
    const { embedding, positions, head, norms, total } = countParameters(shape);
    const counts = { embedding, positions, head, norms, total, linears: linearsByName(shape) };
    expect({ name, ...counts }).toEqual({ name, ...built[at]?.counts });
    const params = requests[at]?.adapters.map((adapter) => countAdapterParameters(shape, adapter, adapter.dora));
    expect({ name, params: params?.map((answer) => (answer.ok ? answer.params : null)) }).toEqual({
      name,
      params: built[at]?.adapters,
    });
  }
}, 300_000);

it('no family is left unproven', () => {
  const proven = new Set(buildable.map(({ shape }) => shape.family));
  expect(Object.keys(FAMILIES).filter((family) => !proven.has(family))).toEqual([...UNBUILDABLE]);
});
