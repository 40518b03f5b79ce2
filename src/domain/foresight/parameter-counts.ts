/** Exact counts of parameters: of a model, of the linears that targets mean, of an adapter on them. */
import type { BlockShape, LinearShape, ModelShape } from './model-shape.ts';
import type { AdapterShape } from './run-shape.ts';

export interface ParameterCounts {
  embedding: number;
  positions: number;
  /** 0 where it is the embedding's own matrix; with its bias. */
  head: number;
  /** Weights of `nn.Linear` inside blocks: what quantization takes. */
  linears: number;
  /** Weights that multiply but are no module: experts and their routers. */
  fused: number;
  biases: number;
  norms: number;
  total: number;
  /** Those that one token goes through: all but the idle experts. */
  active: number;
}

const weights = (linear: LinearShape) => linear.count * linear.inputs * linear.outputs;
const biases = (linear: LinearShape) => (linear.bias ? linear.count * linear.outputs : 0);

function sum(shape: ModelShape, of: (linear: LinearShape, block: BlockShape) => number): number {
  return shape.blocks.reduce(
    (all, block) => all + block.count * block.linears.reduce((some, linear) => some + of(linear, block), 0),
    0,
  );
}

/** Counts as transformers' `num_parameters()` does: shared matrices once. */
export function countParameters(shape: ModelShape): ParameterCounts {
  const embedding = shape.vocab * shape.hidden;
  const head = (shape.tied ? 0 : embedding) + (shape.head_bias ? shape.vocab : 0);
  const linears = sum(shape, (linear) => (linear.is_module ? weights(linear) : 0));
  const fused = sum(shape, (linear) => (linear.is_module ? 0 : weights(linear)));
  const allBiases = sum(shape, biases);
  const norms = shape.other_params + shape.blocks.reduce((all, block) => all + block.count * block.other_params, 0);
  const total = embedding + shape.position_params + head + linears + fused + allBiases + norms;
  const idle = sum(shape, (linear, { mlp: { experts } }) =>
    linear.part === 'expert' && experts !== null
      ? (weights(linear) + biases(linear)) * (1 - experts.per_token / experts.count)
      : 0,
  );
  return {
    embedding,
    positions: shape.position_params,
    head,
    linears,
    fused,
    biases: allBiases,
    norms,
    total,
    active: Math.round(total - idle),
  };
}

/** A linear, and how many blocks have it. */
export interface TargetedLinear {
  linear: LinearShape;
  blocks: number;
}

export type LinearsAnswer = { ok: true; linears: TargetedLinear[] } | { ok: false; reason: string };

/**
 * The linears that an adapter's targets mean. `all-linear`: every `nn.Linear` of the blocks, the output head never, as PEFT has it
 * (peft/tuners/tuners_utils.py, `_maybe_include_all_linear_layers`); `attention`: those of the attention; a name: all that are called so.
 */
export function linearsOf(shape: ModelShape, targets: AdapterShape['targets']): LinearsAnswer {
  const modules = shape.blocks.flatMap(({ count, linears }) =>
    linears.filter(({ is_module }) => is_module).map((linear): TargetedLinear => ({ linear, blocks: count })),
  );
  if (targets === 'all-linear') return { ok: true, linears: modules };
  if (targets === 'attention') return { ok: true, linears: modules.filter(({ linear }) => linear.part === 'attention') };
  const names = new Set(modules.map(({ linear }) => linear.name));
  const unknown = targets.find((target) => !names.has(target));
  if (unknown === undefined && targets.length > 0)
    return { ok: true, linears: modules.filter(({ linear }) => targets.includes(linear.name)) };
  const there = `the linears of ${shape.family} are ${[...names].join(', ')}`;
  if (unknown === undefined) return { ok: false, reason: `no target is named; ${there}` };
  const fused = shape.blocks.some(({ linears }) => linears.some(({ name, is_module }) => name === unknown && !is_module));
  const why = fused ? 'is one parameter for all experts and no linear' : 'is not there';
  return { ok: false, reason: `target ${unknown.slice(0, 100)} ${why}; ${there}` };
}

export type AdapterAnswer = { ok: true; params: number; linears: TargetedLinear[] } | { ok: false; reason: string };

/**
 * Trainable parameters of LoRA: rank × (inputs + outputs) a linear (LoRA, arXiv 2106.09685 §4.1);
 * DoRA adds a magnitude for every output (arXiv 2402.09353 §4).
 */
export function countAdapterParameters(
  shape: ModelShape,
  adapter: Pick<AdapterShape, 'rank' | 'targets'>,
  dora: boolean,
): AdapterAnswer {
  const found = linearsOf(shape, adapter.targets);
  if (!found.ok) return found;
  const params = found.linears.reduce(
    (all, { linear: { count, inputs, outputs }, blocks }) =>
      all + blocks * count * (adapter.rank * (inputs + outputs) + (dora ? outputs : 0)),
    0,
  );
  return { ok: true, params, linears: found.linears };
}
