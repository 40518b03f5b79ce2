import {
  addImageRoute,
  checkImageRoute,
  listImagesRoute,
  removeImageRoute,
  type TrainingImage,
} from '#/contract/training-images.ts';
import { addImage, recheckImage, removeImage } from '#/services/training-images/change-images.ts';
import type { ImageRow } from '#/services/training-images/image-row.ts';
import { listImages } from '#/services/training-images/list-images.ts';
import type { RouteModule } from './api-env.ts';
import { createOnce } from './idempotency.ts';

const presentImage = (image: ImageRow): TrainingImage => ({
  id: image.id,
  name: image.name,
  reference: image.reference,
  digest: image.digest,
  status: image.status,
  status_reason: image.status_reason,
  hello: image.hello,
  checked_at: image.checked_at?.toISOString() ?? null,
  created_at: image.created_at.toISOString(),
  updated_at: image.updated_at.toISOString(),
});

/** What trainings may run in: everybody sees what is usable, administrators say it. */
export const trainingImageRoutes: RouteModule = (api) => {
  api.openapi(listImagesRoute, async (c) => {
    const images = await listImages(c.var.ctx);
    return c.json({ training_images: images.map(presentImage), total: images.length }, 200);
  });
  api.openapi(addImageRoute, async (c) => {
    const body = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/training-images',
      request: () => body,
      make: (hooks) => addImage(c.var.ctx, body, hooks),
      present: presentImage,
    });
  });
  api.openapi(checkImageRoute, async (c) => c.json(presentImage(await recheckImage(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(removeImageRoute, async (c) => {
    await removeImage(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
};
