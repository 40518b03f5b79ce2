import { z } from '@hono/zod-openapi';
import { BUCKETS } from '#/domain/buckets.ts';
import { COLUMN_MAX, DatasetFormat, Description, FileLabel, Mapping, MappingText } from '#/domain/dataset-options.ts';
import { ImageFinding, RejectedRow } from '#/domain/dataset-report.ts';
import { DatasetMetadataChanges } from '#/domain/image-dataset.ts';
import { Metadata, Tags } from '#/domain/labels.ts';
import { DATASET_STATUSES } from '#/domain/statuses.ts';
import { CANONICAL_FIELDS, INVALID_ROWS } from '#/domain/trainer-config.ts';
import { ResourceName } from '#/domain/training-spec.ts';
import { IdempotencyKey, IdParam, Instant, ListQuery, Modality, PageFields, YesOrNo } from './common.ts';
import { declareRoute } from './declare-route.ts';

const free = z.record(z.string(), z.unknown());

/** A dataset as lists have it. */
export const DatasetSummary = z
  .object({
    id: z.uuid(),
    project_id: z.uuid().nullable(),
    name: z.string(),
    version: z.int().describe('Grows when the file is to be read another way'),
    description: z.string(),
    modality: z.string(),
    status: z.enum(DATASET_STATUSES),
    format: z.string().nullable().describe('The shape of its rows; null until recognised'),
    mapping: z.record(z.string(), z.string()).describe('Which column holds which field'),
    invalid_rows: z.enum(INVALID_ROWS).describe('Rows that break a rule: refuse the dataset, or leave them out'),
    file_name: z.string(),
    file_size: z.int().describe('Bytes; while uploading, what is reserved'),
    size_bytes: z.int(),
    checksum: z.string().nullable().describe('SHA-256 of the file, hex'),
    storage_bucket: z.literal(BUCKETS.datasets.name),
    storage_path: z.string().nullable().describe('A key, never a path of the host'),
    manifest_path: z.string().nullable(),
    num_samples: z.int().nullable().describe('Rows, or images'),
    total_training_pairs: z.int().nullable().describe('What an epoch takes: rows, or images with their repeats'),
    total_validation_pairs: z.int().nullable(),
    total_tokens: z.int().nullable().describe('With the default base model’s tokenizer; null without one'),
    avg_turns_per_conversation: z.number().nullable(),
    avg_tokens_per_turn: z.number().nullable(),
    training_ready: z.boolean(),
    validated_at: Instant.nullable(),
    check_progress: z
      .object({ done: z.int(), of: z.int() })
      .nullable()
      .describe('While images are checked: how many of them have been read'),
    integrity_checked: z.boolean(),
    integrity_passed: z.boolean(),
    integrity_report: free.nullable().describe('Counts of the check: rows, rejected rows by code, warnings'),
    statistics: free.describe(
      'Splits, columns, tokens with their histogram, duplicates; of images sizes, buckets, captions, folders',
    ),
    tags: z.array(z.string()),
    metadata: Metadata,
    created_at: Instant,
    updated_at: Instant,
  })
  .openapi('DatasetSummary');
export type DatasetSummary = z.infer<typeof DatasetSummary>;

/** A piece of text as the model sees it, and whether it is trained on. */
const Segment = z.looseObject({ text: z.string(), trained: z.boolean() });
const Sample = z.looseObject({
  line: z.int(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.string() })),
  text: z.string().nullable(),
  segments: z.array(Segment).nullable(),
});

/** One dataset with its report. */
export const Dataset = DatasetSummary.extend({
  validation_errors: z
    .array(RejectedRow)
    .describe('What is wrong with the file (line null), then its first rejected rows, or files'),
  findings: z.array(ImageFinding).describe('Of images: what is worth knowing of single files, the first of each kind'),
  sample_data: z.array(Sample),
}).openapi('Dataset');
export type Dataset = z.infer<typeof Dataset>;

export const DatasetUploaded = Dataset.extend({
  duplicate_of: z.object({ id: z.uuid(), name: z.string() }).nullable().describe('A dataset of yours with the same bytes'),
}).openapi('DatasetUploaded');
export type DatasetUploaded = z.infer<typeof DatasetUploaded>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const text = { type: 'string' as const };

/** What may be said beside the file: query parameters of a raw body, form fields of a multipart one. */
export const UploadQuery = z.strictObject({
  name: ResourceName.optional(),
  description: Description.optional(),
  file_name: FileLabel.optional(),
  format: DatasetFormat.optional(),
  mapping: MappingText.openapi({ ...text, example: 'prompt=question,completion=answer' }).optional(),
  invalid_rows: z.enum(INVALID_ROWS).optional(),
});

const binary = { type: 'string' as const, format: 'binary' };
// Plain schemas, not Zod's: what is declared with a Zod schema is read into memory to be validated.
const raw = { schema: binary };

/** Media types of a raw body; its bytes say what it is. */
export const RAW_UPLOAD_TYPES = [
  'application/x-ndjson',
  'application/jsonl',
  'application/json',
  'application/octet-stream',
  'application/zip',
] as const;

export const uploadDatasetRoute = declareRoute({
  method: 'post',
  path: '/api/datasets/upload',
  tags: ['datasets'],
  summary: 'Upload a JSON lines or JSON file, or a zip of images, at most 500 MB; it is checked afterwards',
  description:
    'As the raw body with everything else as query parameters, or as multipart/form-data with one file and fields; images and their captions may come as several files.',
  request: {
    query: UploadQuery,
    headers: IdempotencyKey,
    body: {
      required: true,
      content: {
        ...Object.fromEntries(RAW_UPLOAD_TYPES.map((type) => [type, raw])),
        'multipart/form-data': {
          schema: {
            type: 'object',
            required: ['file'],
            properties: { file: binary, name: text, description: text, format: text, mapping: text, invalid_rows: text },
          },
        },
      },
    },
  },
  responses: { 201: answers(DatasetUploaded, 'Stored; its check comes next') },
  faults: [404, 409, 'quota_exceeded', 429, 507],
});

/** Whether a dataset can train the model that was asked about. */
const Compatibility = z
  .object({ compatible: z.boolean(), warnings: z.array(z.string()), errors: z.array(z.string()) })
  .openapi('Compatibility');

export const ListedDataset = DatasetSummary.extend({
  compatibility: Compatibility.optional().describe('With compatible_with_model'),
}).openapi('ListedDataset');
export type ListedDataset = z.infer<typeof ListedDataset>;

export const listDatasetsRoute = declareRoute({
  method: 'get',
  path: '/api/datasets',
  tags: ['datasets'],
  summary: 'Own datasets, newest first',
  request: {
    query: z.strictObject({
      ...ListQuery,
      modality: Modality.optional(),
      compatible_with_model: z.uuid().optional().describe('Only those that can train this base model, each with its judgement'),
      include_incompatible: YesOrNo.optional().describe('With compatible_with_model: the others too'),
    }),
  },
  responses: { 200: answers(z.object({ datasets: z.array(ListedDataset), ...PageFields }), 'One page') },
  faults: [404],
});

export const getDatasetRoute = declareRoute({
  method: 'get',
  path: '/api/datasets/{id}',
  tags: ['datasets'],
  summary: 'One dataset with its report',
  request: { params: IdParam, query: z.strictObject({}) },
  responses: { 200: answers(Dataset, 'The dataset') },
  faults: [404],
});

/** Which column holds which field, as JSON. */
export const MappingField = Mapping.openapi({
  type: 'object',
  properties: Object.fromEntries(CANONICAL_FIELDS.map((field) => [field, { ...text, minLength: 1, maxLength: COLUMN_MAX }])),
  additionalProperties: false,
  example: { prompt: 'question', completion: 'answer' },
}).optional();

export const DatasetChanges = z
  .strictObject({
    name: ResourceName.optional(),
    description: Description.optional(),
    format: DatasetFormat.optional(),
    mapping: MappingField,
    invalid_rows: z.enum(INVALID_ROWS).optional(),
    tags: Tags.optional(),
    metadata: DatasetMetadataChanges.optional().describe('Fields to set; null takes one away, the others stay'),
    project_id: z.uuid().nullable().optional().describe('One of your projects; null: none'),
  })
  .openapi('DatasetChanges', { example: { name: 'Questions, cleaned', tags: ['support'], metadata: { licence: 'cc-by-4.0' } } });

export const updateDatasetRoute = declareRoute({
  method: 'patch',
  path: '/api/datasets/{id}',
  tags: ['datasets'],
  summary: 'Change what is said about a dataset; another format, mapping or rule has it checked again',
  request: { params: IdParam, body: { required: true, content: { 'application/json': { schema: DatasetChanges } } } },
  responses: { 200: answers(Dataset, 'The dataset as it is now') },
  faults: [404, 409],
});

export const deleteDatasetRoute = declareRoute({
  method: 'delete',
  path: '/api/datasets/{id}',
  tags: ['datasets'],
  summary: 'Delete; refused while a training needs it. Its file is removed after 30 days',
  request: { params: IdParam },
  responses: { 204: { description: 'Deleted' } },
  faults: [404, 409],
});

export const restoreDatasetRoute = declareRoute({
  method: 'post',
  path: '/api/datasets/{id}/restore',
  tags: ['datasets'],
  summary: 'Take a deletion back, within 30 days',
  request: { params: IdParam },
  responses: { 200: answers(Dataset, 'The dataset, in every list again') },
  faults: [404, 409, 'quota_exceeded'],
});
