import { type DatasetImage, listImagesRoute, thumbnailRoute } from '#/contract/dataset-images.ts';
import { type DatasetImageRow, listImages } from '#/services/datasets/list-images.ts';
import { openThumbnail } from '#/services/datasets/open-thumbnail.ts';
import type { RouteModule } from './api-env.ts';
import { isKnown } from './entity-tag.ts';

/** What is shown of datasets of images. */
export const datasetImageRoutes: RouteModule = (api) => {
  api.openapi(listImagesRoute, async (c) => {
    const { images, ...page } = await listImages(c.var.ctx, c.req.valid('param').id, c.req.valid('query'));
    return c.json({ images: images.map(presentImage), ...page }, 200);
  });
  api.openapi(thumbnailRoute, async (c) => {
    const { id, n } = c.req.valid('param');
    const thumbnail = await openThumbnail(c.var.ctx, id, n);
    const etag = `"${thumbnail.sha256}"`;
    // Kept by its reader's browser alone, and asked about each time: another person may sit there next.
    const headers = { 'Content-Type': 'image/webp', 'Cache-Control': 'private, no-cache', ETag: etag };
    if (isKnown(c.req.header('if-none-match'), etag)) return new Response(null, { status: 304, headers });
    const length = { ...headers, 'Content-Length': String(thumbnail.bytes) };
    if (c.req.raw.method === 'HEAD') return new Response(null, { headers: length });
    return new Response(new Uint8Array(await thumbnail.read()), { headers: length });
  });
};

function presentImage({
  dataset_id,
  user_id: _user,
  thumbnail_offset: _offset,
  thumbnail_length: _length,
  ...image
}: DatasetImageRow): DatasetImage {
  return { ...image, thumbnail_url: `/api/datasets/${dataset_id}/images/${image.n}/thumbnail` };
}
