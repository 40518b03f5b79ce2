import { z } from '@hono/zod-openapi';
import { Description } from '#/domain/dataset-options.ts';
import { Metadata, MetadataChanges, Tags } from '#/domain/labels.ts';
import { HUB_REPO_ID_PATTERN, HubRepoId, HubRevision } from '#/domain/model-hub-id.ts';
import { BASE_MODEL_STATUSES, MODEL_STAGES } from '#/domain/statuses.ts';
import { ResourceName } from '#/domain/training-spec.ts';
import { IdempotencyKey, IdParam, Instant, ListQuery, Modality, PageFields, YesOrNo } from './common.ts';
import { declareRoute } from './declare-route.ts';
import { ModelShape } from './model-shape.ts';

export const BaseModel = z
  .object({
    id: z.uuid(),
    project_id: z.uuid().nullable().describe('The project of its importer’s that it is narrowed to; null: all users share it'),
    name: z.string(),
    family: z.string(),
    description: z.string(),
    params_b: z.number().nullable().describe('Parameters in billions, counted from the headers of its weights'),
    params: z.int().nullable(),
    dtype: z.string().nullable(),
    context_length: z.int().nullable(),
    hidden_size: z.int().nullable(),
    num_layers: z.int().nullable(),
    vocab_size: z.int().nullable(),
    architecture: z.string().nullable(),
    shape: ModelShape.nullable().describe(
      'Its matrices, read from its config.json: what memory and time are foretold with; null where they are not known',
    ),
    modality: z.string(),
    trainable: z.boolean(),
    servable: z.boolean(),
    quantized: z.boolean(),
    is_gguf: z.boolean(),
    has_chat_template: z.boolean(),
    license: z.string().nullable().describe('As its card (README.md) names it'),
    stage: z.enum(MODEL_STAGES),
    status: z.enum(BASE_MODEL_STATUSES),
    status_reason: z
      .object({ code: z.string(), message: z.string() })
      .nullable()
      .describe('Why it is in error, or why it cannot be trained'),
    fetched: z
      .object({ bytes: z.int(), bytes_total: z.int() })
      .nullable()
      .describe('How far its download is, told to those who asked for it while it is being fetched'),
    in_place: z.boolean().describe('Registered where it lies on the studio’s machine; not copied'),
    storage_path: z.string().nullable().describe('A key, never a path of the host; null for a model registered in place'),
    tokenizer_path: z.string().nullable(),
    size_bytes: z.int().nullable(),
    checksum: z
      .string()
      .nullable()
      .describe('SHA-256 of the weights, hex; of the lines "<sha256>  <name>" when there are several'),
    hf_repo_id: z.string().nullable(),
    hf_revision: z.string().nullable().describe('The commit that it is pinned to'),
    hf_requested_revision: z.string().nullable(),
    tags: z.array(z.string()),
    metadata: Metadata,
    model_card: z.string().nullable(),
    created_by_me: z.boolean(),
    created_at: Instant,
    updated_at: Instant,
  })
  .openapi('BaseModel');
export type BaseModel = z.infer<typeof BaseModel>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const listBaseModelsRoute = declareRoute({
  method: 'get',
  path: '/api/base-models',
  tags: ['base models'],
  summary: 'The registry that all users share, with what is narrowed to your projects, newest first',
  request: {
    query: z.strictObject({
      ...ListQuery,
      project: z.uuid().optional().describe('What can be used in this project: what all share, and what is narrowed to it'),
      family: z.string().max(100).optional(),
      modality: Modality.optional(),
      stage: z.enum(MODEL_STAGES).optional(),
      trainable: YesOrNo.optional(),
      servable: YesOrNo.optional(),
    }),
  },
  responses: {
    200: answers(
      z.object({
        models: z.array(BaseModel),
        ...PageFields,
        default_model_id: z
          .uuid()
          .nullable()
          .describe('What a submission that names no model is trained on; null: it must name one'),
      }),
      'One page',
    ),
  },
});

export const getBaseModelRoute = declareRoute({
  method: 'get',
  path: '/api/base-models/{id}',
  tags: ['base models'],
  summary: 'One base model',
  request: { params: IdParam, query: z.strictObject({}) },
  responses: { 200: answers(BaseModel, 'The model') },
  faults: [404],
});

const InProject = z
  .uuid()
  .nullable()
  .optional()
  .describe('One of your projects: nobody else sees the model; null: shared; left out: as it is there already, else shared');

const LocalModel = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(4096)
    .describe('Absolute path of a folder below an allowed one, on the studio’s machine')
    .openapi({ pattern: '^/' }),
  name: ResourceName.optional(),
  project_id: InProject,
});
const HubModel = z.strictObject({
  hf_repo_id: HubRepoId.describe('owner/name').openapi({ pattern: HUB_REPO_ID_PATTERN }),
  revision: HubRevision.default('main').describe('Branch, tag or commit; pinned to a commit'),
  name: ResourceName.optional(),
  project_id: InProject,
});
export const RegisterModel = z.union([HubModel, LocalModel]).openapi('RegisterModel', {
  example: { hf_repo_id: 'HuggingFaceTB/SmolLM-135M', revision: 'main' },
});

export const registerBaseModelRoute = declareRoute({
  method: 'post',
  path: '/api/base-models',
  tags: ['base models'],
  summary: 'Register a model of the Hub, or (administrators) a folder of this machine; its facts are read from its files',
  request: { headers: IdempotencyKey, body: { required: true, content: { 'application/json': { schema: RegisterModel } } } },
  responses: {
    200: answers(BaseModel, 'It was registered already'),
    201: answers(BaseModel, 'Registered; a large or remote one is fetched next'),
  },
  faults: [403, 404, 409, 'quota_exceeded', 429, 507],
});

export const BaseModelChanges = z
  .strictObject({
    name: ResourceName.optional(),
    description: Description.optional(),
    project_id: z
      .uuid()
      .nullable()
      .optional()
      .describe('One of its importer’s projects: nobody else sees it then, refused while others use it; null: shared with all'),
    stage: z.enum(MODEL_STAGES).optional(),
    tags: Tags.optional(),
    model_card: z
      .string()
      .max(100_000, 'must have at most 100000 characters')
      .nullable()
      .optional()
      .describe('Text of a model card, Markdown; null takes it away'),
    metadata: MetadataChanges.optional().describe('Fields to set; null takes one away, the others stay'),
  })
  .openapi('BaseModelChanges', { example: { stage: 'staging', tags: ['small'], metadata: { licence: 'apache-2.0' } } });

export const updateBaseModelRoute = declareRoute({
  method: 'patch',
  path: '/api/base-models/{id}',
  tags: ['base models'],
  summary: 'Change what is said about a model (its importer or an administrator); facts are read from its files alone',
  request: { params: IdParam, body: { required: true, content: { 'application/json': { schema: BaseModelChanges } } } },
  responses: { 200: answers(BaseModel, 'The model as it is now') },
  faults: [403, 404, 409],
});

export const deleteBaseModelRoute = declareRoute({
  method: 'delete',
  path: '/api/base-models/{id}',
  tags: ['base models'],
  summary: 'Take a model out of the registry (its importer or an administrator); refused while a training needs it',
  request: { params: IdParam },
  responses: { 204: { description: 'Deleted' } },
  faults: [403, 404, 409],
});
