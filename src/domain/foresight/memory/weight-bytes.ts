/** What a model's weights take, by how they are stored. */
import type { LinearShape, ModelShape } from '../models/model-shape.ts';
import type { RunShape } from '../run-shape.ts';
import { adapterRank, frozenWidth } from './played-run.ts';

const size = (linear: LinearShape) => linear.inputs * linear.outputs;

/**
 * Bytes of one matrix as bitsandbytes 0.50.2 stores it (functional.py `quantize_4bit`, `int8_vectorwise_quant`): 4 bits and a
 * fp32 maximum for 64 weights; doubly quantized a byte for that maximum and 4 bytes for 256 of those; int8 with a fp32 a row.
 */
export function quantizedBytes({ inputs, outputs }: LinearShape, quantization: RunShape['quantization'], width: number): number {
  const elements = inputs * outputs;
  const blocks = Math.ceil(elements / 64);
  // The table of the 16 values, and of the 256 of the second level with its offset.
  const table = 16 * 4;
  if (quantization === 'nf4') return Math.ceil(elements / 2) + blocks * 4 + table;
  if (quantization === 'nf4-dq') return Math.ceil(elements / 2) + blocks + Math.ceil(blocks / 256) * 4 + table + 256 * 4 + 4;
  return quantization === 'int8' ? elements + outputs * 4 : elements * width;
}

/** Every parameter outside blocks: embedding, positions, head, last norm. */
export function frameParameters(model: ModelShape): number {
  const words = model.vocab * model.hidden;
  return words * (model.tied ? 1 : 2) + (model.head_bias ? model.vocab : 0) + model.position_params + model.other_params;
}

/** Parameters of one block. */
export function blockParameters(block: ModelShape['blocks'][number]): number {
  return block.linears.reduce(
    (all, linear) => all + linear.count * (size(linear) + (linear.bias ? linear.outputs : 0)),
    block.other_params,
  );
}

export function modelParameters(model: ModelShape): number {
  return model.blocks.reduce((all, block) => all + block.count * blockParameters(block), frameParameters(model));
}

/** Bytes of one block's weights. */
export function blockBytes(block: ModelShape['blocks'][number], run: RunShape): number {
  const width = frozenWidth(run);
  const linears = block.linears.reduce((all, linear) => {
    const matrix = linear.is_module ? quantizedBytes(linear, run.quantization, width) : size(linear) * width;
    return all + linear.count * (matrix + (linear.bias ? linear.outputs * width : 0));
  }, 0);
  return linears + block.other_params * width;
}

/** Bytes of the base, adapters aside. */
export function weightBytes(model: ModelShape, run: RunShape): number {
  const blocks = model.blocks.reduce((all, block) => all + block.count * blockBytes(block, run), 0);
  return blocks + frameParameters(model) * frozenWidth(run);
}

/** The adapter's matrices by size: rank × inputs and rank × outputs a linear, for DoRA a magnitude for every output. */
export function adapterTensors(model: ModelShape, run: RunShape): Array<{ elements: number; count: number }> {
  return model.blocks.flatMap((block) =>
    block.linears
      .filter((linear) => adapterRank(run, linear) > 0)
      .flatMap((linear) => {
        const rank = adapterRank(run, linear);
        const { inputs, outputs, count } = linear;
        const sizes = [rank * inputs, rank * outputs, ...(run.method === 'dora' ? [outputs] : [])];
        return sizes.map((elements) => ({ elements, count: block.count * count }));
      }),
  );
}

/** The largest matrix of the blocks, in elements. */
export function largestMatrix(model: ModelShape): number {
  return Math.max(0, ...model.blocks.flatMap(({ linears }) => linears.map(size)));
}
