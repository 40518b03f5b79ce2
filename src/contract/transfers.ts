import { z } from '@hono/zod-openapi';
import { IMPORT_FIELDS } from '#/domain/dataset-import.ts';
import { HUB_REPO_ID_PATTERN, HubRepoId, HubRevision, HubToken } from '#/domain/model-hub-id.ts';
import { ResourceName } from '#/domain/training-spec.ts';
import { TRANSFER_DIRECTIONS, TRANSFER_KINDS, TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import { IdempotencyKey, IdParam, Instant, PageFields, PageQuery } from './common.ts';
import { MappingField } from './datasets.ts';
import { declareRoute } from './declare-route.ts';

export const Transfer = z
  .object({
    id: z.uuid(),
    kind: z.enum(TRANSFER_KINDS),
    direction: z.enum(TRANSFER_DIRECTIONS),
    name: z.string().nullable().describe('What it is to be called here; null: as the repository'),
    hf_repo_id: z.string(),
    revision: z.string().describe('Branch, tag or commit, as it was asked for'),
    commit: z
      .string()
      .nullable()
      .describe('The commit that the revision named when the transfer began: it is pinned to it. Of a push the one that it made'),
    config: z.string().nullable().describe('What of a dataset was asked for'),
    split: z.string().nullable(),
    file: z.string().nullable(),
    status: z.enum(TRANSFER_STATUSES),
    bytes_done: z.int(),
    bytes_total: z.int().nullable().describe('null until the repository is listed'),
    files: z.int().nullable().describe('How many are fetched or pushed'),
    bytes_per_second: z.int().nullable(),
    eta_seconds: z.int().nullable().describe('What is left, at that speed'),
    error: z.object({ code: z.string(), message: z.string() }).nullable().describe('Why it failed, with the way out'),
    base_model_id: z.uuid().nullable(),
    dataset_id: z.uuid().nullable().describe('There once it has completed'),
    artifact_id: z.uuid().nullable().describe('What is pushed'),
    created_at: Instant,
    started_at: Instant.nullable(),
    completed_at: Instant.nullable(),
    updated_at: Instant,
  })
  .openapi('Transfer');
export type Transfer = z.infer<typeof Transfer>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

const OfTheHub = {
  hf_repo_id: HubRepoId.describe('owner/name').openapi({ pattern: HUB_REPO_ID_PATTERN }),
  revision: HubRevision.default('main').describe('Branch, tag or commit; pinned to a commit'),
  name: ResourceName.optional(),
  token: HubToken.optional().describe(
    'A token of the Hub for this transfer alone: sealed while it is open, then forgotten; never answered',
  ),
};
const ImportModel = z.strictObject({ kind: z.literal('model'), ...OfTheHub });
const ImportDataset = z.strictObject({
  kind: z.literal('dataset'),
  ...OfTheHub,
  ...IMPORT_FIELDS,
  mapping: MappingField,
  config: IMPORT_FIELDS.config.describe('A configuration of the dataset’s card; its default one unless said'),
  split: IMPORT_FIELDS.split.describe('train unless said'),
  file: IMPORT_FIELDS.file.describe('In place of both: a path in the repository, or a pattern such as data/*.jsonl'),
});
export const CreateTransfer = z.discriminatedUnion('kind', [ImportModel, ImportDataset]).openapi('CreateTransfer', {
  example: { kind: 'dataset', hf_repo_id: 'databricks/databricks-dolly-15k', revision: 'main', split: 'train' },
});

export const listTransfersRoute = declareRoute({
  method: 'get',
  path: '/api/transfers',
  tags: ['transfers'],
  summary: 'Own transfers, newest first',
  request: {
    query: z.strictObject({
      ...PageQuery,
      kind: z.enum(TRANSFER_KINDS).optional(),
      status: z.enum(TRANSFER_STATUSES).optional(),
    }),
  },
  responses: {
    200: answers(
      z.object({
        transfers: z.array(Transfer),
        ...PageFields,
      }),
      'One page',
    ),
  },
});

export const getTransferRoute = declareRoute({
  method: 'get',
  path: '/api/transfers/{id}',
  tags: ['transfers'],
  summary: 'One transfer with its progress',
  request: { params: IdParam, query: z.strictObject({}) },
  responses: { 200: answers(Transfer, 'The transfer') },
  faults: [404],
});

export const createTransferRoute = declareRoute({
  method: 'post',
  path: '/api/transfers',
  tags: ['transfers'],
  summary: 'Import a model or a dataset of the Hub; a worker fetches it next',
  request: { headers: IdempotencyKey, body: { required: true, content: { 'application/json': { schema: CreateTransfer } } } },
  responses: {
    200: answers(Transfer, 'It is under way already'),
    201: answers(Transfer, 'Waits for a worker'),
  },
  faults: ['quota_exceeded', 429, 507],
});

export const cancelTransferRoute = declareRoute({
  method: 'post',
  path: '/api/transfers/{id}/cancel',
  tags: ['transfers'],
  summary: 'Cancel; what came so far is removed. What others wait for is fetched on for them',
  request: { params: IdParam },
  responses: { 200: answers(Transfer, 'The transfer, cancelled') },
  faults: [404, 'transfer_already_final'],
});
