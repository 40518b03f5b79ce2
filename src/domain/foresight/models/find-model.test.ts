import { describe, expect, it } from 'vitest';
import { CATALOGUE, findModel } from './find-model.ts';
import { countParameters } from './parameter-counts.ts';
import { shapeOf } from './shape-of-config.ts';

const nameOf = (name: string) => {
  const found = findModel(name);
  return found.ok ? found.model.name : found.nearest;
};

it.each([
  ['meta-llama/Llama-2-7b-hf', 'meta-llama/Llama-2-7b-hf'],
  ['llama-2-7b', 'meta-llama/Llama-2-7b-hf'],
  ['Llama 2 7B Chat', 'meta-llama/Llama-2-7b-hf'],
  ['llama3.1-8b', 'meta-llama/Llama-3.1-8B'],
  ['phi-1.5', 'microsoft/phi-1_5'],
  ['gpt2-xl', 'openai-community/gpt2-xl'],
  ['google/gemma-3-4b-it', 'google/gemma-3-4b-pt'],
  ['unsloth/gemma-3-270m-it', 'google/gemma-3-270m'],
  ['unsloth/tinyllama-bnb-4bit', 'TinyLlama/TinyLlama-1.1B-Chat-v1.0'],
  ['HuggingFaceH4/zephyr-7b-beta', 'mistralai/Mistral-7B-v0.1'],
  ['vicuna-7b', 'meta-llama/Llama-2-7b-hf'],
  ['OpenHermes-2.5-Mistral-7B', 'teknium/OpenHermes-2.5-Mistral-7B'],
  ['alpaca-7b', 'tatsu-lab/alpaca-7b-wdiff'],
  ['WizardLM-13B', 'meta-llama/Llama-2-13b-hf'],
  ['unsloth/Devstral-Small-2507-unsloth-bnb-4bit', 'mistralai/Mistral-Small-24B-Base-2501'],
  ['mosaicml/mpt-30b', 'mosaicml/mpt-30b'],
  ['baichuan2-7b', 'baichuan-inc/Baichuan2-7B-Base'],
  ['meta-llama/Llama-3.2-3B-Instruct-bf16', 'meta-llama/Llama-3.2-3B'],
  ['unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit', 'meta-llama/Llama-3.1-8B'],
  ['QWEN2.5-7B-INSTRUCT', 'Qwen/Qwen2.5-7B'],
  ['EleutherAI/pythia-1.4b-deduped', 'EleutherAI/pythia-1.4b'],
  ['mistralai/Mistral-7B-Instruct-v0.1', 'mistralai/Mistral-7B-v0.1'],
])('%s is found as %s', (asked, found) => {
  expect(nameOf(asked)).toBe(found);
});

it('an unknown name answers the nearest ones', () => {
  expect(nameOf('Qwen2.5-8B')).toContain('Qwen/Qwen2.5-7B');
  expect(nameOf('')).toHaveLength(5);
  expect(nameOf('x'.repeat(1e6))).toHaveLength(5);
  expect(findModel('gpt-5')).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/^the catalogue has no model gpt-5; nearest are /),
  });
});

it('no name means two models', () => {
  const names = CATALOGUE.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  for (const { name, aliases = [] } of CATALOGUE) for (const each of [name, ...aliases]) expect(nameOf(each)).toBe(name);
  expect(new Set(names.map((name) => name.toLowerCase().split('/').at(-1))).size).toBe(names.length);
});

it('every model has a shape, of a family that is known, and its source', () => {
  for (const { name, config, source } of CATALOGUE) {
    const read = shapeOf(config);
    expect({ name, read }).toMatchObject({ name, read: { ok: true, shape: { family: config.model_type } } });
    expect(read.ok && read.assumptions.filter((assumption) => assumption.includes('read like'))).toEqual([]);
    expect(source).toMatch(/^https:\/\//);
  }
});

function countsOf(name: string) {
  const found = findModel(name);
  const read = found.ok ? shapeOf(found.model.config) : found;
  if (!read.ok) throw new Error(read.reason);
  return countParameters(read.shape);
}

/** As many digits as were published: 6.74B is 6,740 million, give or take half of the last digit. */
function roundedAs(published: string, total: number): string {
  const unit = { B: 1e9, M: 1e6 }[published.at(-1) ?? ''];
  if (unit === undefined) return String(total);
  return (total / unit).toFixed(published.slice(0, -1).split('.')[1]?.length ?? 0) + published.at(-1);
}

const published = CATALOGUE.flatMap(({ name, published }) => (published === undefined ? [] : [{ name, ...published }]));
it.each(published)('$name has the $params parameters that were published', ({ name, params, source }) => {
  expect(roundedAs(params, countsOf(name).total)).toBe(params);
  expect(source).toMatch(/^https:\/\//);
});

describe('as many parameters as published are active in', () => {
  // With the embedding: mistral.ai/news/mixtral-of-experts, …/mixtral-8x22b; the cards of Qwen, OLMoE, Phi-3.5-MoE; arXiv 2405.04434.
  it.each([
    ['Mixtral-8x7B-v0.1', '12.9B'],
    ['Mixtral-8x22B-v0.1', '39B'],
    ['Qwen1.5-MoE-A2.7B', '2.7B'],
    ['Qwen2-57B-A14B', '14B'],
    ['Qwen3-235B-A22B', '22B'],
    ['OLMoE-1B-7B-0924', '1.3B'],
    ['Phi-3.5-MoE-instruct', '6.6B'],
    ['DeepSeek-V2', '21B'],
  ])('%s', (name, active) => {
    expect(roundedAs(active, countsOf(name).active)).toBe(active);
  });

  // Without it: the model card of gpt-oss (arXiv 2508.10925, table 1), arXiv 2412.19437.
  it.each([
    ['gpt-oss-20b', '3.61B'],
    ['gpt-oss-120b', '5.13B'],
    ['DeepSeek-V3', '37B'],
  ])('%s, the words it looks up aside', (name, active) => {
    const counts = countsOf(name);
    expect(roundedAs(active, counts.active - counts.embedding)).toBe(active);
  });
});
