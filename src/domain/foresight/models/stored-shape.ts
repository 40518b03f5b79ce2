/** A model's shape as its row keeps it, read from its config.json when that was at hand. */
import * as z from 'zod';
import { ImageShape } from '../images/image-shape.ts';
import type { ModelShape } from './model-shape.ts';
import { shapeOf } from './shape-of-config.ts';

/** Whoever changes what a shape holds, or how it is read, raises it: rows of another version are read again. */
const SHAPE_VERSION = 1;

export const StoredShape = z.object({
  version: z.int(),
  /** null: no model that the planner can count with. */
  shape: z.custom<ModelShape>((value) => typeof value === 'object' && value !== null).nullable(),
  /** null: no image model that is trained. */
  image: ImageShape.nullish(),
});
export type StoredShape = z.infer<typeof StoredShape>;

/** What a row is to keep of a config.json. */
export function storedShape(config: unknown): StoredShape {
  const read = shapeOf(config);
  return { version: SHAPE_VERSION, shape: read.ok ? read.shape : null };
}

/** The same of a pipeline's files. */
export const storedPipelineShape = (image: ImageShape | null): StoredShape => ({ version: SHAPE_VERSION, shape: null, image });

/** Whether what a row keeps can still be read. */
export const isShapeRead = (stored: StoredShape | null): boolean => stored?.version === SHAPE_VERSION;

/** The shape in a row; null while none was read, or where there is none to count with. */
export function shapeOfRow(stored: StoredShape | null): ModelShape | null {
  return stored?.version === SHAPE_VERSION ? stored.shape : null;
}

/** The same of an image model. */
export function imageShapeOfRow(stored: StoredShape | null): ImageShape | null {
  return stored?.version === SHAPE_VERSION ? (stored.image ?? null) : null;
}
