import { describe, expect, test } from 'vitest';
import { answerOf, type EstimateAnswer, type EstimateRefusal } from './answer-request.ts';

const MODEL = 'meta-llama/Llama-3.1-8B';
const ask = (fields: Record<string, unknown> = {}) => answerOf({ id: 'a', model: MODEL, ...fields });
const answered = (fields: Record<string, unknown> = {}): EstimateAnswer => {
  const answer = ask(fields);
  if ('error' in answer) throw new Error(answer.error.message);
  return answer;
};
const refused = (request: unknown): EstimateRefusal['error'] => {
  const answer = answerOf(request);
  if (!('error' in answer)) throw new Error('it was answered');
  return answer.error;
};
const said = (answer: EstimateAnswer) => answer.assumptions.join('\n');

describe('an answer', () => {
  test('has its components sum up, and lies in its interval', () => {
    const { id, memory_gb, seconds_per_step, tokens_per_second, verdict } = answered({ gradient_checkpointing: true });
    const { context, ...held } = memory_gb.components;
    const sum = Object.values(held).reduce((all, one) => all + one, 0);
    expect(id).toBe('a');
    expect(sum).toBeCloseTo(memory_gb.allocator, 2);
    expect(sum + context).toBeCloseTo(memory_gb.device, 2);
    expect(memory_gb.low).toBeLessThan(memory_gb.device);
    expect(memory_gb.high).toBeGreaterThan(memory_gb.device);
    expect(memory_gb.components.weights).toBeCloseTo(16.06, 1);
    expect(tokens_per_second).toBeCloseTo((4 * 2048) / seconds_per_step, 0);
    expect(verdict).toBe('fits');
  });

  test('of a name and of the fields that it stands for is the same', () => {
    const model = {
      model_type: 'llama',
      hidden_size: 4096,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      intermediate_size: 14_336,
      vocab_size: 128_256,
      max_position_embeddings: 131_072,
    };
    expect(answered({ model }).memory_gb).toEqual(answered().memory_gb);
  });

  test('says what was filled in; a null is a field that is absent', () => {
    expect(said(answered())).toMatch(
      /Not said.*gpu A100-80GB, method lora, quantization none, precision bf16, .*adapter_dtype fp32, lora\.rank 16.*seq_len 2048, micro_batch 4/,
    );
    expect(ask({ gpu: null, lora: { rank: null }, seq_len: null })).toEqual(ask({ lora: {} }));
    expect(said(answered({ gpu: 'H100' }))).not.toMatch(/gpu /);
  });

  test('has QLoRA on a base of 4 bits, doubly quantized, and its adapter in bf16', () => {
    const answer = answered({ method: 'qlora' });
    expect(said(answer)).toMatch(/quantization nf4-dq.*adapter_dtype bf16/);
    expect(answer.memory_gb.components.weights).toBeCloseTo(5.7, 1);
  });

  test('of a quantized base reaches to what fp32 would take of the rest, unless that was said', () => {
    const run = { method: 'qlora', seq_len: 256, micro_batch: 1, gradient_checkpointing: true, packing: true };
    const high = (switches: object, fields: object = run) => answered({ ...fields, switches }).memory_gb.high;
    const upcast = answered({ ...run, switches: { upcasts_frozen: true } }).memory_gb;
    expect(high({ upcasts_frozen: false })).toBeLessThan(upcast.device);
    expect(high({})).toBe(upcast.high);
    expect(said(answered(run))).toMatch(/switches\.upcasts_frozen says so/);
    expect(said(answered({ ...run, switches: { upcasts_frozen: false } }))).not.toMatch(/upcasts_frozen/);
    const unquantized = { ...run, method: 'lora' };
    expect(high({}, unquantized)).toBe(high({ upcasts_frozen: false }, unquantized));
  });

  test('of a model that also sees says that its text part alone is counted', () => {
    expect(said(answered({ model: 'google/gemma-3-4b-it' }))).toMatch(/Only the text part/);
    expect(said(answered({ model: 'google/gemma-3-1b-it' }))).not.toMatch(/Only the text part/);
  });

  test('has checkpointing off where it fits without, and else on, unless that was said', () => {
    const small = { seq_len: 256, micro_batch: 1 };
    expect(said(answered(small))).toMatch(/Gradient checkpointing is taken as off/);
    const large = { seq_len: 8192, micro_batch: 8, gpu: 'H200' };
    expect(said(answered(large))).toMatch(/Gradient checkpointing is taken as on/);
    const [off, on, left] = [false, true, undefined].map(
      (said) => answered({ ...large, gradient_checkpointing: said }).memory_gb,
    );
    expect(left).toEqual(on);
    expect(off?.device).toBeGreaterThan(2 * (on?.device ?? 0));
  });

  test.each([
    [{ precision: 'bf16', gpu: 'T4' }, /T4 does not compute in bf16: planned in fp16/],
    [{ precision: 'bf16', gpu: 'CPU' }, /CPU does not compute in bf16: planned in fp32/],
    [{ attention: 'flash', gpu: 'V100-32GB' }, /FlashAttention does not run on V100-32GB.*sdpa/],
    [{ strategy: 'zero3' }, /On one device zero3 shards nothing/],
    [{ gpus: 4, strategy: 'none' }, /each holds the whole model: planned as ddp/],
    [{ method: 'full', lora: { rank: 8 } }, /what lora says is not counted/],
    [{ lora: { targets: ['q_proj', 'w1'] } }, /Not counted of the targets: w1/],
    [{ model: 'Llama-2-7b', seq_len: 8192 }, /longer than the 4096/],
  ])('of %j is planned, and says how it was read', (fields, words) => {
    expect(said(answered(fields))).toMatch(words);
  });
});

describe('a run that is not ours', () => {
  test('is told by switches, each of which may be left out', () => {
    const memory = (fields: Record<string, unknown>) => answered(fields).memory_gb;
    const plain = { optimizer: 'adamw', method: 'full', gradient_checkpointing: true, seq_len: 256, micro_batch: 1 };
    const usual = { ...plain, switches: { expandable_segments: false, fused_optimizer: false, autocast: null } };
    expect(memory(usual).components.slack).toBeGreaterThan(memory(plain).components.slack);
    // A copy of each of 8 billion weights, in bf16.
    expect(memory(usual).allocator - memory(plain).allocator).toBeGreaterThan(12);
    expect(memory({ ...plain, switches: {} })).toEqual(memory(plain));
  });

  test('has the experts of a quantized base in 4 bits, and says so', () => {
    const answer = answered({ model: 'mixtral-8x7b', method: 'qlora', gradient_checkpointing: true });
    // 46.7 billion weights, of which 1.6 are no linear of a block: 45.1 × 0.516 + 0.3 × 2 bytes.
    expect(answer.memory_gb.components.weights).toBeGreaterThan(23);
    expect(answer.memory_gb.components.weights).toBeLessThan(26);
    expect(said(answer)).toMatch(/experts are counted as quantized/);
    expect(said(answered({ model: 'mixtral-8x7b' }))).not.toMatch(/experts are counted/);
  });
});

describe('a refusal', () => {
  test.each([
    [{ id: 'x' }, 'model', /model is required/],
    [{ model: MODEL }, 'id', /id is required/],
    [[], '', /A request is refused/],
    [null, '', /A request is refused/],
    [{ id: 'x', model: 'Nope-7B' }, 'model', /no model Nope-7B; nearest are/],
    [{ id: 'x', model: { model_type: 'llama' } }, 'model', /hidden_size is missing/],
    [{ id: 'x', model: MODEL, gpu: 'Voodoo2' }, 'gpu', /no device Voodoo2.*A100-80GB/],
    [{ id: 'x', model: MODEL, ranks: 8 }, 'ranks', /no field ranks: a request has id, model/],
    [{ id: 'x', model: MODEL, lora: { r: 8 } }, 'lora.r', /lora has rank, targets/],
    [{ id: 'x', model: MODEL, lora: { rank: 0 } }, 'lora.rank', /whole number from 1/],
    [{ id: 'x', model: MODEL, lora: { targets: [] } }, 'lora.targets', /must be all-linear/],
    [
      { id: 'x', model: MODEL, lora: { targets: ['w9'] } },
      'lora.targets',
      /Target w9 is not there; the linears of llama are q_proj/,
    ],
    [{ id: 'x', model: MODEL, lora: { dropout: 1 } }, 'lora.dropout', /less than 1/],
    [{ id: 'x', model: MODEL, micro_batch: 2.5 }, 'micro_batch', /whole number/],
    [{ id: 'x', model: MODEL, seq_len: 1e300 }, 'seq_len', /whole number/],
    [{ id: 'x', model: MODEL, micro_batch: '4' }, 'micro_batch', /whole number/],
    [{ id: 'x', model: MODEL, packing: 'no' }, 'packing', /true or false/],
    [{ id: 'x', model: MODEL, switches: { pads_to: 0 } }, 'switches.pads_to', /from 1 to 4096/],
    [{ id: 'x', model: MODEL, switches: { pad_to: 8 } }, 'switches.pad_to', /switches has upcasts_frozen, /],
    [{ id: 'x', model: MODEL, method: 'lorra' }, 'method', /one of lora, qlora, dora, full/],
    [{ id: 'x', model: MODEL, method: 'qlora', quantization: 'none' }, 'quantization', /nf4, nf4-dq or int8/],
    [{ id: 'x', model: MODEL, method: 'full', quantization: 'nf4' }, 'quantization', /cannot be trained/],
  ])('of %j names the field, the rule and the way out', (request, field, message) => {
    expect(refused(request)).toEqual({ field, message: expect.stringMatching(message) });
  });

  test('has the id of its line where that can be read', () => {
    expect(answerOf({ id: 7, model: MODEL, x: 1 })).toMatchObject({ id: 7 });
    expect(answerOf({ id: {}, model: MODEL })).toMatchObject({ id: null, error: { field: 'id' } });
  });
});
