import { expect, test } from 'vitest';
import { answerOf } from './answer-request.ts';
import { RequestFault, readRequest } from './estimate-request.ts';

const MODEL = 'Llama-2-7b-hf';

test.each([
  ['method', 'QLoRA', 'qlora'],
  ['method', 'full-finetune', 'full'],
  ['quantization', 'NF4', 'nf4'],
  ['quantization', 'nf4_dq', 'nf4-dq'],
  ['quantization', 'bnb.nf4', 'nf4'],
  ['optimizer', 'AdamW', 'adamw'],
  ['optimizer', 'adamw_torch_fused', 'adamw'],
  ['optimizer', 'adamw_bnb_8bit', 'adamw_8bit'],
  ['attention', 'flash_attention_2', 'flash'],
  ['attention', 'FlashAttention-2', 'flash'],
  ['loss', 'Liger', 'fused'],
  ['precision', 'bfloat16', 'bf16'],
  ['weights_dtype', 'torch.float16', 'fp16'],
  ['strategy', 'ZeRO-3', 'zero3'],
  ['strategy', 'FSDP', 'fsdp'],
])('%s %s is read as %s', (field, written, ours) => {
  expect(readRequest({ id: 1, model: MODEL, [field]: written })).toMatchObject({ [field]: ours });
});

test.each([
  ['targets', 'all_linear', 'all-linear'],
  ['targets', 'all', 'all-linear'],
  ['adapter_dtype', 'float32', 'fp32'],
])('%s %s of an adapter is read as %s', (field, written, ours) => {
  expect(readRequest({ id: 1, model: MODEL, lora: { [field]: written } })).toMatchObject({ lora: { [field]: ours } });
});

test.each([
  ['quantization', '4bit'],
  ['optimizer', 'paged_adamw_32bit'],
  ['precision', 'bf16-mixed'],
  ['attention', 'constructor'],
])('%s %s may mean several things or none, and is refused', (field, written) => {
  expect(() => readRequest({ id: 1, model: MODEL, [field]: written })).toThrow(RequestFault);
});

test('a request in other words is answered as in ours', () => {
  const ours = { id: 1, model: MODEL, method: 'qlora', lora: { targets: 'all-linear' }, attention: 'flash', precision: 'bf16' };
  const theirs = { ...ours, method: 'QLoRA', lora: { targets: 'all' }, attention: 'flash_attention_2', precision: 'bfloat16' };
  expect(answerOf(theirs)).toEqual(answerOf(ours));
});
