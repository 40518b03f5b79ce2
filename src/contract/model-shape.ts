/** A model's shape on the wire: with it a page foretells a training by itself. */
import { z } from '@hono/zod-openapi';
import type { ModelShape as Shape } from '#/domain/foresight/models/model-shape.ts';

const count = z.int().min(0);

const Linear = z.object({
  name: z.string(),
  inputs: count,
  outputs: count,
  bias: z.boolean(),
  part: z.enum(['attention', 'mlp', 'expert', 'router']),
  count,
  is_module: z.boolean(),
  reached_by: z.array(z.string()).readonly().optional(),
});

const Block = z.object({
  count,
  linears: z.array(Linear),
  other_params: count,
  attention: z.object({
    heads: count,
    kv_heads: count,
    head_dim: count,
    window: count.nullable(),
    qk_norm: z.enum(['none', 'head', 'all']),
  }),
  mlp: z.object({
    gated: z.boolean(),
    activation: z.string(),
    intermediate: count,
    experts: z.object({ count, per_token: count, intermediate: count, shared_intermediate: count }).nullable(),
  }),
  norm: z.enum(['rms', 'layer']),
  norms: count,
  parallel: z.boolean(),
});

const linear = (name: string, inputs: number, outputs: number, part: 'attention' | 'mlp') => ({
  name,
  inputs,
  outputs,
  bias: false,
  part,
  count: 1,
  is_module: true,
});
/** Llama 3.2, of a billion parameters. */
const EXAMPLE: Shape = {
  family: 'llama',
  hidden: 2048,
  vocab: 128_256,
  context: 131_072,
  tied: true,
  head_bias: false,
  position_params: 0,
  other_params: 2048,
  blocks: [
    {
      count: 16,
      linears: [linear('q_proj', 2048, 2048, 'attention'), linear('down_proj', 8192, 2048, 'mlp')],
      other_params: 4096,
      attention: { heads: 32, kv_heads: 8, head_dim: 64, window: null, qk_norm: 'none' },
      mlp: { gated: true, activation: 'silu', intermediate: 8192, experts: null },
      norm: 'rms',
      norms: 2,
      parallel: false,
    },
  ],
};

export const ModelShape = z
  .object({
    family: z.string(),
    hidden: count,
    vocab: count,
    context: count.nullable(),
    tied: z.boolean(),
    head_bias: z.boolean(),
    position_params: count,
    other_params: count,
    blocks: z.array(Block),
  })
  .openapi('ModelShape', {
    example: EXAMPLE,
    description: 'In an example only some matrices are told',
  }) satisfies z.ZodType<Shape>;
