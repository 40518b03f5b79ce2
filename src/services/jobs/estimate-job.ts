import { asUser } from '#/db/tenancy.ts';
import type { Forecast } from '#/domain/foresight/foresee.ts';
import { DEFAULT_PRESET_ID, type EstimatedHyperparameters, HYPERPARAMETER_PRESETS } from '#/domain/hyperparameters.ts';
import { type GPUConfig, NO_WISHES } from '#/domain/training-spec.ts';
import type { Context } from '#/services/context.ts';
import { readGpuCatalog } from '#/services/gpu-catalog/read-gpu-catalog.ts';
import { findModel } from '#/services/models/model-row.ts';
import { chooseGpu } from './choose-gpu.ts';
import type { PricedGpu } from './configure-job.ts';
import { refuseImages, refuseMismatch } from './create-job.ts';
import { foreseeTraining, readForesight } from './foresee-training.ts';
import { readyDataset } from './ready-dataset.ts';

/** What an estimate is asked of. */
export interface EstimateQuestion {
  dataset_id: string;
  gpu_config: GPUConfig;
  hyperparameters: EstimatedHyperparameters;
  base_model_id?: string | undefined;
  max_steps?: number | undefined;
  max_seq_length?: number | undefined;
}

export interface EstimateAnswer {
  forecast: Forecast;
  gpu: PricedGpu;
  dataset_name: string;
}

/**
 * What a training of the caller's would take; stores nothing. Throws `not_found` (dataset, base model), `dataset_not_ready`,
 * `dataset_not_training_ready`, `not_trainable` (images) and `invalid_request` (GPU type).
 */
export function estimateJob(ctx: Context, question: EstimateQuestion): Promise<EstimateAnswer> {
  return asUser(ctx.user_id, async (tx) => {
    const dataset = await readyDataset(tx, question.dataset_id);
    refuseImages(dataset);
    const model = question.base_model_id === undefined ? null : await findModel(tx, question.base_model_id);
    if (model !== null) refuseMismatch({ method: 'lora' }, dataset, model.modality);
    const catalog = await readGpuCatalog(tx);
    const gpu = chooseGpu(catalog, question.gpu_config);
    const spec = {
      method: 'lora' as const,
      // Alpha and dropout are the preset's where they are left out; alpha changes nothing of an estimate.
      hyperparameters: { ...HYPERPARAMETER_PRESETS[DEFAULT_PRESET_ID], ...question.hyperparameters },
      max_steps: question.max_steps ?? null,
      run: { ...NO_WISHES, max_seq_length: question.max_seq_length ?? null },
      trigger_words: [],
      resolution: null,
      seed: 0,
    };
    const forecast = foreseeTraining(await readForesight(tx, ctx.user_id, catalog), { spec, dataset, model, gpu });
    return { forecast, gpu, dataset_name: dataset.name };
  });
}
