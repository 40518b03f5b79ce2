import { z } from '@hono/zod-openapi';
import { IdParam, NextAfter, PageLimit, WholeQueryOr } from './common.ts';
import { declareRoute } from './declare-route.ts';

const IMAGES_MAX = 999_999;

/** One image of a dataset, as it is trained on. */
export const DatasetImage = z
  .object({
    n: z.int().describe('Its number in the dataset, from 1'),
    file: z.string().describe('The name that it came with'),
    caption: z.string().nullable(),
    width: z.int(),
    height: z.int(),
    bytes: z.int(),
    repeats: z.int().describe('How often an epoch takes it'),
    is_class: z.boolean().describe('Shows the class, for prior preservation, and not what is to be learned'),
    sha256: z.string(),
    thumbnail_url: z.string().openapi({ example: '/api/datasets/6f0b9d7e-8c1a-4d7a-9a53-0f7f0a1c2b3d/images/1/thumbnail' }),
  })
  .openapi('DatasetImage');
export type DatasetImage = z.infer<typeof DatasetImage>;

export const listImagesRoute = declareRoute({
  method: 'get',
  path: '/api/datasets/{id}/images',
  tags: ['datasets'],
  summary: 'The images of a dataset, in their order',
  request: {
    params: IdParam,
    query: z.strictObject({ limit: PageLimit, after: WholeQueryOr(0, IMAGES_MAX, 0) }),
  },
  responses: {
    200: {
      description: 'One page; of a dataset of text there are none',
      content: {
        'application/json': { schema: z.object({ images: z.array(DatasetImage), total: z.int(), next_after: NextAfter }) },
      },
    },
  },
  faults: [404],
});

export const thumbnailRoute = declareRoute({
  method: 'get',
  path: '/api/datasets/{id}/images/{n}/thumbnail',
  tags: ['datasets'],
  summary: 'An image in small, at most 256 pixels a side',
  request: {
    params: IdParam.extend({
      n: z
        .string()
        .regex(/^[1-9]\d{0,5}$/, 'must be the number of an image, from 1')
        .transform(Number)
        .openapi({ type: 'integer', minimum: 1, maximum: IMAGES_MAX, example: 1, param: { name: 'n', in: 'path' } }),
    }),
    query: z.strictObject({}),
    headers: z.object({ 'if-none-match': z.string().max(1000).optional() }),
  },
  responses: {
    200: { description: 'The thumbnail', content: { 'image/webp': { schema: z.any() } } },
    304: { description: 'It is still the one of If-None-Match' },
  },
  faults: [404],
});
