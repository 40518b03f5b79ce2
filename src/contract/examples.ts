/** Example values for the document: each is made of its schema, and of what its field is called. A schema's own `example` wins. */

/** A JSON Schema as the document has it. */
export type JsonSchema = Record<string, unknown>;
type Components = Record<string, JsonSchema>;

const ID = '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11';
const HASH = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
const COMMIT = '93efa2f097d58c2a74874c7e644dbc9b0cee75a2';

/** What a field of this name usually holds; `Thing.name` and `thing.name` are for that schema's or field's own. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  'dataset.name': 'Questions',
  'DatasetSummary.name': 'Questions',
  'ListedDataset.name': 'Questions',
  'Dataset.name': 'Questions',
  'DatasetUploaded.name': 'Questions',
  'duplicate_of.name': 'Questions',
  dataset_name: 'Questions',
  'base_model.name': 'SmolLM-135M',
  'BaseModel.name': 'SmolLM-135M',
  'BaseModel.description': 'A small language model',
  'BaseModel.status': 'ready',
  'BaseModel.fetched': null,
  'BaseModel.project_id': null,
  'BaseModel.size_bytes': 269_060_552,
  license: 'apache-2.0',
  model_card: null,
  quantized: false,
  is_gguf: false,
  in_place: false,
  has_chat_template: false,
  'DatasetSummary.status': 'ready',
  'ListedDataset.status': 'ready',
  'Dataset.status': 'ready',
  'Project.name': 'Support answers',
  'ProjectChanges.name': 'Support answers',
  'CreateProject.name': 'Support answers',
  'Person.name': 'Ada Lovelace',
  'ApiKey.name': 'Laptop',
  'NewApiKey.name': 'Laptop',
  'Recipe.name': 'Small and quick',
  'gpu_config.type': 'A100-80GB',
  'TrainingJob.status': 'running',
  'Training.status': 'running',
  'Transfer.status': 'running',
  'Transfer.kind': 'model',
  'Transfer.name': null,
  'Transfer.dataset_id': null,
  'Transfer.artifact_id': null,
  'Transfer.config': null,
  'Transfer.split': null,
  'Transfer.file': null,
  'Transfer.files': 8,
  bytes_done: 119_060_552,
  bytes_total: 269_060_552,
  bytes_per_second: 12_500_000,
  eta_seconds: 12,
  'JobEvent.seq': 3,
  'JobEvent.type': 'started',
  'JobEvent.message': 'Its trainer runs',
  from_status: 'initializing',
  to_status: 'running',
  'Activity.event_type': 'job_completed',
  'Activity.title': 'Training completed',
  'Activity.message': 'First try',
  'Activity.status': 'completed',
  'Activity.read': false,
  marked_read: 3,
  'Experiment.status': 'RUNNING',
  'ExperimentJob.status': 'RUNNING',
  'ExperimentJob.artifact_id': null,
  'jobs_by_status.queued': 0,
  'jobs_by_status.initializing': 0,
  'jobs_by_status.running': 1,
  'jobs_by_status.completed': 2,
  'jobs_by_status.failed': 0,
  'jobs_by_status.cancelled': 0,
  'Costs.job': null,
  'Costs.jobs': 4,
  'Costs.amount': 8.78,
  'compute.hours': 2.5,
  'compute.amount': 8.75,
  'storage.gb': 0.34,
  'storage.amount': 0.03,
  'Device.worker_id': 'gpu-box-7c1f',
  'Device.host': 'gpu-box',
  'Device.uuid': 'GPU-5f2c8a1e-7d43-4b90-9c6e-2f1a8d3b5e74',
  'Device.name': 'NVIDIA A100 80GB PCIe',
  'Device.memory_mb': 81_920,
  'Device.index': 0,
  'Device.memory_used_mb': 3,
  'Device.utilization_percent': 0,
  'Device.foreign_processes': 0,
  'Device.mig': null,
  'Device.reason': null,
  'Device.state': 'free',
  'Device.worker_silent_s': 2,
  worker_stopped: false,
  drained_at: null,
  quarantined_at: null,
  quarantine_reason: null,
  disabled_at: null,
  active_jobs_max: null,
  'MetricPoint.seq': 425,
  'MetricPoint.step': 425,
  'MetricPoint.epoch': 1.3,
  'MetricPoint.eval_loss': null,
  samples_per_second: 22.5,
  gpu_memory_mb: 5210,
  peak_memory_mb: 6140,
  'Checkpoint.id': 4,
  'Checkpoint.step': 400,
  'TrainingSample.id': 4,
  'TrainingSample.step': 400,
  'TrainingSample.prompt': 'What is LoRA?',
  'TrainingSample.text': 'A low-rank adapter.',
  next_after: null,
  'data.next': 19,
  'data.size': 19,
  'Artifact.parent_model_id': null,
  'Artifact.storage_path': `${ID}/artifact`,
  'loading.text': 'from peft import PeftModel\n…\n',
  job_name: 'First try',
  'sample_data.text': null,
  'message.role': 'user',
  'message.content': 'What is LoRA?',
  'segment.text': 'What is LoRA?',
  validation_errors: [],
  warnings: [],
  errors: [],
  advice: [],
  refuses: [],
  'Preflight.estimated_vram_mb': null,
  'Preflight.time_per_step_ms': null,
  'vram_breakdown.model_params_gb': null,
  'vram_breakdown.activations_gb': null,
  'vram_breakdown.gradients_gb': null,
  'vram_breakdown.optimizer_gb': null,
  'vram_breakdown.total_with_buffer_gb': null,
  'throughput.samples_per_second': null,
  'throughput.tokens_per_second': null,
  verdict: null,
  interval_mb: null,
  'evidence.runs': 0,
  'defaults.warmup_steps': 20,
  'defaults.seed': 42,
  'defaults.checkpoint_interval': 100,
  'defaults.eval_interval': 50,
  'Webhook.events': ['job.completed', 'job.failed'],
  'NewWebhook.events': ['job.completed', 'job.failed'],
  'WebhookDelivery.event': 'job.completed',
  'WebhookDelivery.status': 'delivered',
  next_attempt_at: null,
  last_status: 200,
  last_error: null,
  'trie.status': 200,
  'tries.status': 200,
  duration_ms: 84,
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw…',
  avg_turns_per_conversation: 2,
  avg_tokens_per_turn: 79,
  invited_by: 'Ada Lovelace',
  language: 'python',
  executor: 'process',
  dropout: 0.05,
  epochs: 3,
  rank: 16,
  alpha: 32,
  lora_rank: 16,
  lora_alpha: 32,
  batch_size: 4,
  resolution: 512,
  current_step: 425,
  total_steps: 1000,
  steps: 1000,
  current_epoch: 1.3,
  total_epochs: 3,
  total_training_pairs: 7473,
  total_validation_pairs: 394,
  num_samples: 7867,
  total_tokens: 1_240_000,
  file_size: 4_200_000,
  size_bytes: 4_200_000,
  bytes: 9_240_000,
  size: 9_240_000,
  params_b: 0.135,
  params: 134_515_008,
  context_length: 2048,
  hidden_size: 576,
  num_layers: 30,
  vocab_size: 49_152,
  priority: 0,
  retry_count: 0,
  final_cost: null,
  completed_at: null,
  estimated_total_cost: 1.05,
  attempts: 1,
  total_is_estimate: false,
  built_in: false,
  unavailable_reason: null,
  duplicate_of: null,
  id: ID,
  job_id: '7f4c1f0a-58c4-4b0e-9a44-0a6c5c1c2b11',
  dataset_id: '3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11',
  base_model_id: '0b9e6a1c-1f5d-4a53-8c1e-5b7f3f1f2d10',
  project_id: '5a1d7c2e-9b3f-4e60-8d25-7c9e1a4b6f32',
  artifact_id: '1c8b4f7d-2a6e-4d19-b3f0-9e5d7a2c4b61',
  token: 'eyJmaWxlIjoiLi4uIn0.c2lnbmF0dXJl',
  setup_token: 'k7Qm-2vXz-9pLd',
  key: 'lowrank_ZXhhbXBsZQ',
  prefix: 'lowrank_ZXhh',
  name: 'First try',
  title: 'Training completed',
  message: 'First try',
  description: 'Questions and their answers',
  summary: 'First try',
  email: 'ada@example.org',
  password: 'correct horse battery staple',
  current_password: 'correct horse battery staple',
  new_password: 'another horse battery staple',
  path: 'adapter_model.safetensors',
  url: 'https://lowrank.example.org/sign-up#TOKEN',
  location: 'https://lowrank.example.org/api/downloads/TOKEN',
  file_name: 'questions.jsonl',
  file: '10_sks dog/03.jpg',
  caption: 'a photo of sks dog on a beach',
  code: 'upscaled',
  manifest_path: null,
  storage_path: `${ID}/dataset`,
  tokenizer_path: null,
  action_url: `/jobs/${ID}`,
  hf_repo_id: 'HuggingFaceTB/SmolLM-135M',
  hf_revision: COMMIT,
  hf_requested_revision: 'main',
  revision: 'main',
  commit: COMMIT,
  sha256: HASH,
  checksum: HASH,
  base_model: 'HuggingFaceTB/SmolLM-135M@main',
  billing_period: '2026-01',
  mapping: { prompt: 'question', completion: 'answer' },
  search: 'questions',
  q: 'questions',
  family: 'llama',
  architecture: 'LlamaForCausalLM',
  dtype: 'bfloat16',
  modality: 'text',
  format: 'prompt_completion',
  current_stage: 'training',
  preset_id: 'fast',
  type: 'lora',
  kind: 'adapter',
  text: 'step 20: loss 1.73\n',
  stage: 'production',
  aliases: ['5090'],
  tags: ['small'],
  trigger_words: [],
  metadata: {},
  error: null,
  failure: null,
  status_reason: null,
  disabled_reason: null,
  cancel_requested_at: null,
  pause_requested_at: null,
  held_at: null,
  contact_lost_at: null,
  revoked_at: null,
  retried_from: null,
  next_cursor: null,
  after: ID,
  progress: 42.5,
  limit: 50,
  offset: 0,
  page: 1,
  total: 1,
  points: 2000,
  from: 0,
  to: 1000,
  attempt: 1,
  learning_rate: 0.0001,
  loss: 1.73,
  grad_norm: 0.82,
  hourly_rate: 3.5,
  tokens_per_second: 1800,
  current_cost: 0.42,
  amount: 8.78,
  range: 'bytes=0-1023',
  'if-range': `"${HASH}"`,
  'if-none-match': `"${HASH}"`,
  'last-event-id': '1.20.1.4096',
  'Idempotency-Key': '0d4e6bd1-6a51-4a55-9a55-2f62c1c6f1de',
};

const BY_FORMAT: Readonly<Record<string, unknown>> = {
  uuid: ID,
  'date-time': '2026-01-31T12:00:00.000Z',
  email: 'ada@example.org',
  uri: 'https://example.org/',
  binary: '{"question": "What is LoRA?", "answer": "A low-rank adapter."}\n',
};

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value);
const schemasIn = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);

/** The schema that a reference names, or the schema itself. Throws where there is none. */
function resolve(schema: JsonSchema, components: Components): JsonSchema {
  if (typeof schema.$ref !== 'string') return schema;
  const found = components[schema.$ref.replace('#/components/schemas/', '')];
  if (found === undefined) throw new Error(`the document has no ${schema.$ref}`);
  return resolve(found, components);
}

const typesOf = (schema: JsonSchema): unknown[] => (Array.isArray(schema.type) ? schema.type : [schema.type]);

/** Whether a sample from the table is of the schema's kind and among its values: then it may stand there. */
function fits(sample: unknown, schema: JsonSchema): boolean {
  const types = typesOf(schema);
  if (Array.isArray(schema.enum)) return schema.enum.includes(sample);
  if (sample === null) return types.includes('null') || schemasIn(schema.anyOf).some(({ type }) => type === 'null');
  if (typeof sample === 'string') {
    if (schema.format === 'uuid' ? !/^[0-9a-f-]{36}$/.test(sample) : schema.format === 'date-time') return false;
    if (typeof schema.pattern === 'string' && !new RegExp(schema.pattern, 'u').test(sample)) return false;
    return types.includes('string');
  }
  if (typeof sample === 'number') {
    if (!types.includes('number') && !(types.includes('integer') && Number.isInteger(sample))) return false;
    return sample >= Number(schema.minimum ?? sample) && sample <= Number(schema.maximum ?? sample);
  }
  if (typeof sample === 'boolean') return types.includes('boolean');
  return types.includes(Array.isArray(sample) ? 'array' : 'object');
}

function numberFor(schema: JsonSchema): number {
  const least = Number(schema.minimum ?? schema.exclusiveMinimum ?? 0);
  const step = Number(schema.multipleOf ?? 0);
  const wanted = Math.min(Math.max(1, least), Number(schema.maximum ?? Number.POSITIVE_INFINITY));
  return step > 0 ? Math.ceil(wanted / step) * step : wanted;
}

/** Where a schema stands: the field that has it, and the schema or field around that. */
interface Place {
  name: string;
  around: string;
  /** Fields that may be absent are there, too, as in answers. */
  whole: boolean;
}

const refName = (schema: JsonSchema): string => String(schema.$ref ?? '').replace('#/components/schemas/', '');

function sampleFor({ name, around }: Place, schema: JsonSchema): unknown {
  return [BY_NAME[`${around}.${name}`], BY_NAME[name]].find((sample) => sample !== undefined && fits(sample, schema));
}

/** An example of a schema: with `whole` as in answers, without only what must be there, as in requests. */
export function exampleOf(
  schema: JsonSchema,
  components: Components,
  { name = '', around = '', whole = true }: Partial<Place> = {},
): unknown {
  if (schema.example !== undefined) return schema.example;
  const place = { name, around, whole };
  const sample = sampleFor(place, schema);
  if (sample !== undefined) return sample;
  const own = resolve(schema, components);
  if (own.example !== undefined) return own.example;
  if (own.const !== undefined) return own.const;
  if (Array.isArray(own.enum)) return own.enum[0];
  if (own.default !== undefined && !whole) return own.default;
  const variants = [...schemasIn(own.anyOf), ...schemasIn(own.oneOf)].filter(({ type }) => type !== 'null');
  if (variants[0] !== undefined) return exampleOf(variants[0], components, place);
  const inside = refName(schema) || name || around;
  const all = schemasIn(own.allOf);
  if (all.length > 0) {
    const parts = all.map((part) => exampleOf(part, components, { name, around: inside, whole }));
    return parts.every(isSchema) ? Object.assign({}, ...parts) : parts[0];
  }
  switch (typesOf(own).find((type) => type !== 'null')) {
    case 'object':
      return objectFor(own, components, inside, whole);
    case 'array':
      return isSchema(own.items) ? [exampleOf(own.items, components, { name: name.replace(/s$/, ''), around, whole })] : [];
    case 'integer':
    case 'number':
      return numberFor(own);
    case 'boolean':
      return own.default ?? true;
    case 'string':
      return BY_FORMAT[String(own.format)] ?? 'text';
    default:
      return {};
  }
}

function objectFor(schema: JsonSchema, components: Components, around: string, whole: boolean): JsonSchema {
  const properties = isSchema(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  const made: JsonSchema = {};
  for (const [name, inner] of Object.entries(properties)) {
    if (!isSchema(inner) || (!whole && !required.includes(name))) continue;
    made[name] = exampleOf(inner, components, { name, around, whole });
  }
  return made;
}
