/** An image model as the planner sees it: read from its files when it was registered. */
import * as z from 'zod';

const count = z.int().min(0);

/** Parameters by part, counted; `side`: pixels that it was made for, null where its files do not say. */
export const ImageShape = z.object({
  kind: z.string().max(40),
  denoiser: count,
  encoders: count,
  vae: count,
  side: count.nullable(),
});
export type ImageShape = z.infer<typeof ImageShape>;
