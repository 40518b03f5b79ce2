/** The planner's counts against models as transformers builds them, on the meta device, and adapters as PEFT puts them on. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { CATALOGUE } from '#/domain/foresight/find-model.ts';
import type { ModelShape } from '#/domain/foresight/model-shape.ts';
import { countAdapterParameters, countParameters, linearsOf } from '#/domain/foresight/parameter-counts.ts';
import { shapeOf } from '#/domain/foresight/shape-of-config.ts';

interface Linear {
  weights: number;
  biases: number;
  modules: number;
}
interface Built {
  counts: { embedding: number; positions: number; head: number; norms: number; total: number; linears: Record<string, Linear> };
  adapters: number[];
}

/** Families that this transformers does not build. */
const UNBUILDABLE = new Set(['qwen']);

const shapes = CATALOGUE.map(({ name, config }) => {
  const read = shapeOf(config);
  if (!read.ok) throw new Error(`${name}: ${read.reason}`);
  return { name, config, shape: read.shape };
}).filter(({ shape }) => !UNBUILDABLE.has(shape.family));

/** The smallest of each family: adapters take time to put on. */
const smallest = new Set(
  [...Map.groupBy(shapes, ({ shape }) => shape.family).values()].map(
    (models) => models.reduce((a, b) => (countParameters(a.shape).total <= countParameters(b.shape).total ? a : b)).name,
  ),
);

function adaptersOf(shape: ModelShape) {
  const attention = linearsOf(shape, 'attention');
  if (!attention.ok) throw new Error(attention.reason);
  const names = [...new Set(attention.linears.map(({ linear }) => linear.name))];
  const few = names.filter((name) => ['q_proj', 'v_proj', 'query_key_value', 'c_attn', 'qkv_proj'].includes(name));
  return ['all-linear' as const, names, few].flatMap((targets) => [false, true].map((dora) => ({ rank: 16, targets, dora })));
}

const requests = shapes.map(({ name, config, shape }) => ({ config, adapters: smallest.has(name) ? adaptersOf(shape) : [] }));

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

it('every model of the catalogue counts as transformers builds it: in all, by part, by linear, and adapters as PEFT', () => {
  const built = build();
  expect(built).toHaveLength(shapes.length);
  for (const [at, { name, shape }] of shapes.entries()) {
    const { embedding, positions, head, norms, total } = countParameters(shape);
    const counts = { embedding, positions, head, norms, total, linears: linearsByName(shape) };
    expect({ name, ...counts }).toEqual({ name, ...built[at]?.counts });
    const params = requests[at]?.adapters.map((adapter) => countAdapterParameters(shape, adapter, adapter.dora));
    expect({ name, params: params?.map((answer) => (answer.ok ? answer.params : answer.reason)) }).toEqual({
      name,
      params: built[at]?.adapters,
    });
  }
}, 300_000);
