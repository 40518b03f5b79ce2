import type { z } from '@hono/zod-openapi';
import type { CreateJobBody } from '#/contract/jobs.ts';
import { resolveHyperparameters } from '#/domain/hyperparameters.ts';
import { NO_WISHES, type TrainingSpec } from '#/domain/training-spec.ts';

const DEFAULT_SEED = 42;

/** Door B's body as our one spec. */
export function specOfDoorB(body: z.infer<typeof CreateJobBody>, now: Date): TrainingSpec {
  return {
    name: body.name ?? `Training ${now.toISOString().slice(0, 16).replace('T', ' ')}`,
    method: 'lora',
    dataset_id: body.dataset_id,
    base_model_id: body.base_model_id ?? null,
    hub_model: null,
    trigger_words: [],
    resolution: null,
    ...resolveHyperparameters(body.preset_id, body.hyperparameters),
    gpu_config: body.gpu_config ?? null,
    max_steps: body.max_steps ?? null,
    seed: DEFAULT_SEED,
    run: { ...NO_WISHES, max_seq_length: body.max_seq_length ?? null },
    metadata: {},
    probe_only: body.probe_only,
    limits: body.limits,
    training_image_id: body.training_image_id,
    priority: body.priority,
    start: body.start,
  };
}
