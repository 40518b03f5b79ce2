import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from './find-model.ts';
import { countAdapterParameters, countParameters, linearsOf } from './parameter-counts.ts';
import { shapeOf } from './shape-of-config.ts';

const llama = {
  model_type: 'llama',
  hidden_size: 3072,
  num_hidden_layers: 28,
  num_attention_heads: 24,
  num_key_value_heads: 8,
  intermediate_size: 8192,
  vocab_size: 128_256,
  tie_word_embeddings: true,
};
const read = (config: unknown) => {
  const answer = shapeOf(config);
  if (!answer.ok) throw new Error(answer.reason);
  return answer;
};

describe('a config is refused by the name of its field when', () => {
  it.each([
    ['hidden_size', { hidden_size: undefined }],
    ['hidden_size', { hidden_size: null }],
    ['hidden_size', { hidden_size: '3072' }],
    ['hidden_size', { hidden_size: -3072 }],
    ['hidden_size', { hidden_size: 3072.5 }],
    ['hidden_size', { hidden_size: Number.NaN }],
    ['num_hidden_layers', { num_hidden_layers: 1e9 }],
    ['num_hidden_layers', { num_hidden_layers: 0 }],
    ['num_attention_heads', { num_attention_heads: 40 }],
    ['num_attention_heads', { num_attention_heads: [24] }],
    ['num_key_value_heads', { num_key_value_heads: 7 }],
    ['intermediate_size', { intermediate_size: Number.POSITIVE_INFINITY }],
    ['vocab_size', { vocab_size: 2 ** 40 }],
    ['max_position_embeddings', { max_position_embeddings: 'long' }],
    ['tie_word_embeddings', { tie_word_embeddings: 1 }],
    ['attention_bias', { attention_bias: 'no' }],
    ['model_type', { model_type: 7 }],
    ['layer_types', { model_type: 'gemma2', layer_types: ['full_attention'] }],
    ['layer_types', { model_type: 'gemma2', layer_types: 'full_attention' }],
    ['layer_types', { model_type: 'gemma2', layer_types: Array(5000).fill('') }],
  ])('%s is wrong: %j', (field, changes) => {
    expect(shapeOf({ ...llama, ...changes })).toEqual({ ok: false, reason: expect.stringContaining(`config.json: ${field}`) });
  });

  it.each([[null], [[]], ['x'], [1], [undefined]])('%j is no object', (config) => {
    expect(shapeOf(config)).toEqual({ ok: false, reason: 'config.json is not an object of JSON' });
  });

  it('its numbers are each thinkable and together are not', () => {
    const vast = { ...llama, hidden_size: 2 ** 20, num_attention_heads: 2 ** 16, num_hidden_layers: 4096 };
    expect(shapeOf(vast)).toEqual({ ok: false, reason: expect.stringContaining('which none has') });
  });

  it.each(['mamba', '__proto__', 'constructor', undefined])(
    '%s is no family it knows and its fields are not those of Llama',
    (model_type) => {
      expect(shapeOf({ model_type, d_model: 64 })).toEqual({ ok: false, reason: expect.stringContaining('known are llama, ') });
    },
  );
});

it('whatever stands in one field of a model, the config is read or refused with a reason, and counts are whole numbers', () => {
  const junk = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.boolean(), fc.constant(null), fc.jsonValue());
  const models = fc.constantFrom(...CATALOGUE.map(({ config }) => config));
  fc.assert(
    fc.property(models, fc.nat(), junk, (config, at, value) => {
      const names = Object.keys(config);
      const answer = shapeOf({ ...config, [names[at % names.length] ?? '']: value });
      const counts = answer.ok ? countParameters(answer.shape) : null;
      if (counts === null) expect(answer).toMatchObject({ reason: expect.stringMatching(/^config\.json/) });
      else expect(Number.isSafeInteger(counts.total) && counts.total > 0 && counts.active <= counts.total).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it('an unknown decoder with the fields of Llama is read like it and says so', () => {
  const { shape, assumptions } = read({ ...llama, model_type: 'brand_new', is_encoder_decoder: false });
  expect(shape).toEqual({ ...read(llama).shape, family: 'brand_new' });
  expect(assumptions).toEqual(['The model_type brand_new is not known: the config is read like that of a llama.']);
  expect(read(llama).assumptions).toEqual([]);
});

it.each([
  { num_experts: 8 },
  { kv_lora_rank: 512 },
  { layer_types: ['linear_attention'] },
  { mamba_d_state: 128 },
  { is_encoder_decoder: true },
])('an unknown decoder with blocks of another kind is not read like Llama: %j', (other) => {
  const reason = expect.stringContaining('model_type brand_new is not known');
  expect(shapeOf({ ...llama, model_type: 'brand_new', ...other })).toEqual({ ok: false, reason });
});

it('of a model that also sees, the text part is read', () => {
  const text_config = { model_type: 'gemma3_text', hidden_size: 2560, num_hidden_layers: 34, intermediate_size: 10_240 };
  const { shape, assumptions } = read({ model_type: 'gemma3', text_config, vision_config: { hidden_size: 1152 } });
  expect(shape).toMatchObject({ family: 'gemma3_text', hidden: 2560, vocab: 262_208, tied: true });
  expect(assumptions).toEqual([expect.stringContaining('Only the text part of the model is counted')]);
});

it('layers that see a window stand apart from those that see all', () => {
  const gemma2 = { ...llama, model_type: 'gemma2', num_hidden_layers: 27 };
  const windows = (config: object) => read(config).shape.blocks.map(({ count, attention }) => [count, attention.window]);
  expect(windows(gemma2)).toEqual([
    [14, 4096],
    [13, null],
  ]);
  expect(windows({ ...gemma2, layer_types: Array(27).fill('full_attention') })).toEqual([[27, null]]);
  const qwen2 = { ...llama, model_type: 'qwen2', sliding_window: 4096, max_window_layers: 21 };
  expect(windows(qwen2)).toEqual([[28, null]]);
  expect(windows({ ...qwen2, use_sliding_window: true })).toEqual([
    [7, 4096],
    [21, null],
  ]);
});

describe('adapters of Llama-3.2-3B count as PEFT recorded them', () => {
  // huggingface/peft method_comparison/MetaMathQA/results: num_trainable_params
  it.each([
    ['LoRA r 32 on q and v', 9_175_040, 32, ['q_proj', 'v_proj'], false],
    ['LoRA r 10 on the MLP', 9_461_760, 10, ['gate_proj', 'up_proj', 'down_proj'], false],
    ['DoRA r 32 on q and v', 9_289_728, 32, ['q_proj', 'v_proj'], true],
  ])('%s', (_, params, rank, targets, dora) => {
    expect(countAdapterParameters(read(llama).shape, { rank, targets }, dora)).toMatchObject({ ok: true, params });
  });
});

it('targets mean linears of the blocks, and a name that none has is told with those there are', () => {
  const { shape } = read(llama);
  const names = (targets: Parameters<typeof linearsOf>[1]) => {
    const answer = linearsOf(shape, targets);
    return answer.ok ? answer.linears.map(({ linear }) => linear.name) : answer.reason;
  };
  expect(names('attention')).toEqual(['q_proj', 'k_proj', 'v_proj', 'o_proj']);
  expect(names('all-linear')).toHaveLength(7);
  expect(names(['up_proj', 'q_proj'])).toEqual(['q_proj', 'up_proj']);
  const there = 'the linears of llama are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj';
  expect(names(['q_proj', 'c_attn'])).toBe(`target c_attn is not there; ${there}`);
  expect(names(['lm_head'])).toBe(`target lm_head is not there; ${there}`);
  expect(names([])).toBe(`no target is named; ${there}`);
});

it('parameters of a dense model are all active, and their parts sum up', () => {
  const { total, active, ...parts } = countParameters(read(llama).shape);
  expect(active).toBe(total);
  expect(Object.values(parts).reduce((all, part) => all + part)).toBe(total);
});

describe('experts that are one parameter for all', () => {
  const sizes = { ...llama, tie_word_embeddings: false, num_experts_per_tok: 2 };
  const mixtral = read({ ...sizes, model_type: 'mixtral', num_local_experts: 8 }).shape;
  const oss = read({ ...sizes, model_type: 'gpt_oss', num_local_experts: 8 }).shape;
  const adapter = (shape: typeof mixtral, targets: string[], dora = false) => {
    const answer = countAdapterParameters(shape, { rank: 16, targets }, dora);
    return answer.ok ? answer.params : answer.reason;
  };

  it('are idle but for those that a token is sent to', () => {
    const { total, active, fused } = countParameters(mixtral);
    const routers = 28 * 3072 * 8;
    expect(active).toBe(total - ((fused - routers) * 6) / 8);
  });

  it('are reached by the names of their parts, all of one matrix together', () => {
    const down = 28 * 8 * 16 * (8192 + 3072);
    expect(adapter(mixtral, ['w2'])).toBe(down);
    expect(adapter(mixtral, ['w1', 'w3', 'w2'])).toBe(down + 28 * 8 * 32 * (3072 + 2 * 8192));
    expect(adapter(mixtral, ['w1'])).toMatch(/^target w3 has to be named, too/);
    expect(adapter(mixtral, ['w2'], true)).toMatch(/^DoRA cannot go on down_proj/);
    expect(adapter(mixtral, ['q_proj'], true)).toBe(28 * (16 * (3072 + 3072) + 3072));
  });

  it('are out of reach in families whose experts never were linears', () => {
    expect(adapter(oss, ['gate_up_proj'])).toBe(
      'target gate_up_proj is out of reach of adapters; the linears of gpt_oss are q_proj, k_proj, v_proj, o_proj',
    );
  });
});
