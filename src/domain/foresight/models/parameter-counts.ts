/** Exact counts of parameters: of a model, of the linears that targets mean, of an adapter on them. */

import type { AdapterShape } from '../run-shape.ts';
import type { BlockShape, LinearShape, ModelShape } from './model-shape.ts';

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

/** A matrix that an adapter goes on. */
export interface TargetedLinear {
  linear: LinearShape;
  /** How many blocks have it. */
  blocks: number;
  /** By what its rank is multiplied: a fused matrix has the ranks of its parts. */
  rank_factor: number;
}

export type LinearsAnswer = { ok: true; linears: TargetedLinear[] } | { ok: false; reason: string };

const reachedBy = ({ name, reached_by }: LinearShape): readonly string[] => reached_by ?? [name];

/**
 * What an adapter's targets mean. `all-linear`: whatever PEFT can reach in the blocks, the output head never
 * (peft/tuners/tuners_utils.py, `_maybe_include_all_linear_layers`); `attention`: the linears of the attention; a name: all called so.
 */
export function linearsOf(shape: ModelShape, targets: AdapterShape['targets']): LinearsAnswer {
  const reachable = shape.blocks.flatMap(({ count, linears }) =>
    linears
      .filter((linear) => reachedBy(linear).length > 0)
      .map((linear): TargetedLinear => ({ linear, blocks: count, rank_factor: reachedBy(linear).length })),
  );
  if (targets === 'all-linear') return { ok: true, linears: reachable };
  if (targets === 'attention') return { ok: true, linears: reachable.filter(({ linear }) => linear.part === 'attention') };
  const names = new Set(reachable.flatMap(({ linear }) => reachedBy(linear)));
  const refusal = (what: string): LinearsAnswer => {
    return { ok: false, reason: `${what}; the linears of ${shape.family} are ${[...names].join(', ')}` };
  };
  if (targets.length === 0) return refusal('no target is named');
  const unknown = targets.find((target) => !names.has(target));
  if (unknown !== undefined)
    return refusal(`target ${unknown.slice(0, 100)} ${isThere(shape, unknown) ? 'is out of reach of adapters' : 'is not there'}`);
  const linears = reachable.filter(({ linear }) => reachedBy(linear).some((name) => targets.includes(name)));
  const lacking = linears.flatMap(({ linear }) => reachedBy(linear)).find((name) => !targets.includes(name));
  return lacking === undefined
    ? { ok: true, linears }
    : refusal(`target ${lacking} has to be named, too: it is fused with another`);
}

function isThere(shape: ModelShape, name: string): boolean {
  return shape.blocks.some(({ linears }) => linears.some((linear) => linear.name === name));
}

export type AdapterAnswer = { ok: true; params: number; linears: TargetedLinear[] } | { ok: false; reason: string };

/**
 * Trainable parameters of LoRA: rank × (inputs + outputs) a linear (LoRA, arXiv 2106.09685 §4.1);
 * DoRA adds a magnitude for every output (arXiv 2402.09353 §4) and cannot go on experts (peft/tuners/lora/layer.py, `ParamWrapper`).
 */
export function countAdapterParameters(
  shape: ModelShape,
  adapter: Pick<AdapterShape, 'rank' | 'targets'>,
  dora: boolean,
): AdapterAnswer {
  const found = linearsOf(shape, adapter.targets);
  if (!found.ok) return found;
  const fused = found.linears.find(({ linear }) => !linear.is_module);
  if (dora && fused !== undefined)
    return {
      ok: false,
      reason: `DoRA cannot go on ${fused.linear.name}, which is no linear of its own: target the attention, or use LoRA`,
    };
  const params = found.linears.reduce(
    (all, { linear: { count, inputs, outputs }, blocks, rank_factor }) =>
      all + blocks * count * (adapter.rank * rank_factor * (inputs + outputs) + (dora ? outputs : 0)),
    0,
  );
  return { ok: true, params, linears: found.linears };
}
