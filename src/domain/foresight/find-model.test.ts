import { expect, it } from 'vitest';
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

/** As many digits as were published: 6.74B is 6,740 million, give or take half of the last digit. */
function roundedAs(published: string, total: number): string {
  const unit = { B: 1e9, M: 1e6 }[published.at(-1) ?? ''];
  if (unit === undefined) return String(total);
  return (total / unit).toFixed(published.slice(0, -1).split('.')[1]?.length ?? 0) + published.at(-1);
}

const published = CATALOGUE.flatMap(({ name, config, published }) =>
  published === undefined ? [] : [{ name, config, ...published }],
);
it.each(published)('$name has the $params parameters that were published', ({ config, params, source }) => {
  const read = shapeOf(config);
  if (!read.ok) throw new Error(read.reason);
  expect(roundedAs(params, countParameters(read.shape).total)).toBe(params);
  expect(source).toMatch(/^https:\/\//);
});
