import { z } from '@hono/zod-openapi';
import { eitherWay, IdParam, Instant, PageFields, PageQuery, View } from './common.ts';
import { declareRoute } from './declare-route.ts';

const free = z.record(z.string(), z.unknown());

export const ArtifactFile = z
  .object({
    id: z.uuid().describe('What a download names the file by'),
    path: z.string(),
    sha256: z.string(),
    bytes: z.int(),
  })
  .openapi('ArtifactFile');

export const Artifact = z
  .object({
    id: z.uuid(),
    job_id: z.uuid(),
    job_name: z.string(),
    name: z.string(),
    kind: z.string(),
    parent_model_id: z.uuid().nullable().describe('The artifact that its training went on from'),
    files: z.array(ArtifactFile),
    storage_path: z.string().describe('A key, never a path of the host'),
    sha256: z.string().describe('Of the weights file'),
    size: z.int().describe('Bytes of all files'),
    base_model: z.object({ name: z.string(), hf_repo_id: z.string().nullable(), revision: z.string().nullable() }),
    quality_metrics: free,
    training_summary: free,
    passport: free.describe('Dataset hash, base model revision, versions, seed, complete configuration'),
    loading: z.object({ language: z.literal('python'), text: z.string() }).describe('Lines that load it in PEFT'),
    created_at: Instant,
  })
  .openapi('Artifact');
export type Artifact = z.infer<typeof Artifact>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const jobArtifactsRoute = declareRoute({
  method: 'get',
  path: '/api/jobs/{id}/artifacts',
  tags: ['artifacts'],
  summary: 'What a job left that is worth keeping, newest first',
  request: { params: IdParam, query: z.strictObject({ ...PageQuery, view: View }) },
  responses: {
    200: answers(eitherWay(z.object({ artifacts: z.array(Artifact), ...PageFields })), 'One page'),
  },
  faults: [404],
});

export const listArtifactsRoute = declareRoute({
  method: 'get',
  path: '/api/artifacts',
  tags: ['artifacts'],
  summary: 'Own artifacts, newest first',
  request: { query: z.strictObject(PageQuery) },
  responses: {
    200: answers(z.object({ artifacts: z.array(Artifact), ...PageFields }), 'One page'),
  },
});

export const getArtifactRoute = declareRoute({
  method: 'get',
  path: '/api/artifacts/{id}',
  tags: ['artifacts'],
  summary: 'One artifact with its passport and the lines that load it',
  request: { params: IdParam, query: z.strictObject({}) },
  responses: { 200: answers(Artifact, 'The artifact') },
  faults: [404],
});

export const downloadArtifactRoute = declareRoute({
  method: 'get',
  path: '/api/artifacts/{id}/download',
  tags: ['artifacts'],
  summary: 'The short-lived address of one file, or of all of them as one zip; sends there',
  request: { params: IdParam, query: z.strictObject({ file: z.uuid().optional() }) },
  responses: {
    303: {
      description: 'See the address in Location; the body has it, too, for clients that do not follow',
      headers: z.object({ location: z.string() }),
      content: {
        'application/json': {
          schema: z.object({
            url: z.string().openapi({ example: 'https://lowrank.example.org/api/downloads/TOKEN' }),
            expires_at: Instant,
            file_name: z.string().openapi({ example: 'adapter_model.safetensors' }),
            bytes: z.int().nullable(),
          }),
        },
      },
    },
  },
  faults: [404],
});

export const deleteArtifactRoute = declareRoute({
  method: 'delete',
  path: '/api/artifacts/{id}',
  tags: ['artifacts'],
  summary: 'Delete; its files are removed after 30 days',
  request: { params: IdParam },
  responses: { 204: { description: 'Deleted' } },
  faults: [404],
});

export const restoreArtifactRoute = declareRoute({
  method: 'post',
  path: '/api/artifacts/{id}/restore',
  tags: ['artifacts'],
  summary: 'Take a deletion back, within 30 days',
  request: { params: IdParam },
  responses: { 200: answers(Artifact, 'The artifact, in every list again') },
  faults: [404, 409, 'quota_exceeded'],
});

export const downloadRoute = declareRoute({
  method: 'get',
  path: '/api/downloads/{token}',
  tags: ['artifacts'],
  summary: 'A file by its signed address: GET and HEAD, with Range',
  security: [],
  request: {
    params: z.object({
      token: z
        .string()
        .max(2000)
        .openapi({ param: { name: 'token', in: 'path' } }),
    }),
    headers: z.object({
      range: z.string().max(1000).optional(),
      'if-range': z.string().max(200).optional(),
      'if-none-match': z.string().max(1000).optional(),
    }),
  },
  responses: {
    200: { description: 'The whole file', content: { 'application/octet-stream': { schema: z.any() } } },
    303: {
      description: 'The storage has the file: see the address in Location, which is good for a minute',
      headers: z.object({ location: z.string() }),
    },
    206: { description: 'A part of the file', content: { 'application/octet-stream': { schema: z.any() } } },
    304: { description: 'The file is still the one of If-None-Match' },
  },
  faults: [404, 416, 429],
});
