/** A model's shape on the wire: with it a page foretells a training by itself. */
import { z } from '@hono/zod-openapi';
import type { ModelShape as Shape } from '#/domain/foresight/model-shape.ts';

const count = z.int().min(0);

const Linear = z.object({
  name: z.string(),
  inputs: count,
  outputs: count,
  bias: z.boolean(),
  part: z.enum(['attention', 'mlp', 'expert', 'router']),
  count,
  is_module: z.boolean(),
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
  .openapi('ModelShape') satisfies z.ZodType<Shape>;
