import { findModel } from '#/domain/foresight/models/find-model.ts';
import { type StoredShape, storedShape } from '#/domain/foresight/models/stored-shape.ts';

/** What a base model's row has of a model of the catalogue. */
export function storedShapeOf(name: string): StoredShape {
  const found = findModel(name);
  if (!found.ok) throw new Error(found.reason);
  return storedShape(found.model.config);
}
