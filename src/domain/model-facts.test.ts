import { describe, expect, it } from 'vitest';
import { factsOfConfig, factsOfTokenizer, mainDtype, remoteCode, UNSAFE_WEIGHTS, whyNotTrainable } from './model-facts.ts';

const llama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 576,
  num_hidden_layers: 30,
  vocab_size: 49_152,
  max_position_embeddings: 2048,
};
const factsOf = (config: unknown) => {
  const read = factsOfConfig(config);
  if (!read.ok) throw new Error(read.refusal.message);
  return read.facts;
};

it('facts of a config are read under the names that families use', () => {
  const facts = {
    family: 'llama',
    architecture: 'LlamaForCausalLM',
    hidden_size: 576,
    num_layers: 30,
    vocab_size: 49_152,
    context_length: 2048,
    quantized: false,
  };
  expect(factsOf(llama)).toEqual(facts);
  expect(
    factsOf({ architectures: ['GPT2LMHeadModel'], n_embd: 768, n_layer: 12, n_positions: 1024, vocab_size: 50_257 }),
  ).toMatchObject({
    hidden_size: 768,
    num_layers: 12,
    context_length: 1024,
  });
  expect(
    factsOf({ architectures: ['Gemma3ForConditionalGeneration'], text_config: { hidden_size: 2560, num_hidden_layers: 34 } }),
  ).toMatchObject({
    hidden_size: 2560,
    num_layers: 34,
  });
  expect(factsOf({ hidden_size: 2 ** 31 - 1, vocab_size: 2 ** 31 })).toMatchObject({
    hidden_size: 2 ** 31 - 1,
    vocab_size: null,
  });
  expect(factsOf({ hidden_size: 'wide', vocab_size: -1 })).toMatchObject({
    architecture: null,
    hidden_size: null,
    vocab_size: null,
  });
});

it('a model that brings its own code is refused', () => {
  expect(factsOfConfig({ ...llama, auto_map: { AutoModel: 'other/repo--modeling.X' } })).toMatchObject({
    refusal: { code: 'remote_code_not_allowed' },
  });
  expect(remoteCode('tokenizer_config.json', { auto_map: { AutoTokenizer: ['tok.T', null] } })).toMatchObject({
    code: 'remote_code_not_allowed',
    message: expect.stringMatching(/^its tokenizer_config.json .*\(auto_map\)/),
  });
  expect(remoteCode('config.json', { ...llama, auto_map: null })).toBeNull();
});

it('attention that transformers would load from the Hub is refused at any depth, its own is not', () => {
  const deep = (value: unknown) => ({ text_config: { layers: [{ _attn_implementation: value }] } });
  for (const value of [
    'evil/kernel',
    'evil/kernel@main:run',
    'paged|evil/kernel',
    { '': 'sdpa', vision_config: 'evil/kernel' },
    7,
  ]) {
    for (const config of [{ attn_implementation: value }, { _attn_implementation: value }, deep(value)])
      expect(factsOfConfig({ ...llama, ...config })).toMatchObject({
        refusal: { code: 'remote_code_not_allowed', message: expect.stringContaining('attn_implementation') },
      });
  }
  for (const value of [null, 'eager', 'sdpa', 'flash_attention_2', { '': 'sdpa', text_config: 'eager' }])
    for (const config of [{ attn_implementation: value }, deep(value)])
      expect(factsOfConfig({ ...llama, ...config })).toMatchObject({ ok: true });
  expect(remoteCode('config.json', JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`))).toBeNull();
});

it.each([
  ['model_type', { ...llama, model_type: 'll\u0000ama' }],
  ['model_type', { ...llama, model_type: '\ud800' }],
  ['architectures', { ...llama, architectures: ['A\u0000B'] }],
])('a config whose %s cannot be stored is refused by name', (field, config) => {
  const refusal = { code: 'invalid_config', message: `its config.json: ${field} holds a NUL or half a surrogate pair` };
  expect(factsOfConfig(config)).toEqual({ ok: false, refusal });
  expect(factsOf({ ...config, [field]: ['x'.repeat(201)] })).toMatchObject({ hidden_size: 576 });
});

it.each([[null], [[]], ['x'], [1]])('a config that is %j is refused', (config) => {
  expect(factsOfConfig(config)).toMatchObject({ ok: false, refusal: { code: 'invalid_config' } });
});

describe('not trainable, with the reason, is', () => {
  it.each([
    ['architecture_not_trainable', { ...llama, architectures: ['BertModel'] }, true],
    ['architecture_not_trainable', { ...llama, architectures: undefined }, true],
    ['quantized_not_trainable', { ...llama, quantization_config: { quant_method: 'gptq' } }, true],
    ['tokenizer_missing', llama, false],
  ])('%s', (code, config, has_tokenizer) => {
    expect(whyNotTrainable(factsOf(config), has_tokenizer)?.code).toBe(code);
  });
});

it('a causal language model with a tokenizer is trainable', () => {
  expect(whyNotTrainable(factsOf(llama), true)).toBeNull();
});

it('a chat template is a text or a list, a length without limit is none', () => {
  expect(factsOfTokenizer({ chat_template: '{{ x }}', model_max_length: 1e30 })).toEqual({
    has_chat_template: true,
    model_max_length: null,
  });
  expect(factsOfTokenizer({ chat_template: [{ name: 'default', template: 'x' }], model_max_length: 512 })).toMatchObject({
    has_chat_template: true,
    model_max_length: 512,
  });
  expect(factsOfTokenizer(null)).toEqual({ has_chat_template: false, model_max_length: null });
});

it('the dtype is that of most parameters', () => {
  expect(mainDtype({ F32: 10, BF16: 1000 })).toBe('bfloat16');
  expect(mainDtype({})).toBeNull();
});

it.each(['pytorch_model.bin', 'model.PT', 'x.ckpt', 'x.pkl', 'tf_model.h5', 'flax_model.msgpack', 'model.onnx'])(
  '%s is unsafe',
  (name) => {
    expect(UNSAFE_WEIGHTS.test(name)).toBe(true);
  },
);
