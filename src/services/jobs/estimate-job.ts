import { asUser } from '#/db/tenancy.ts';
import type { EstimatedHyperparameters } from '#/domain/hyperparameters.ts';
import { countSteps } from '#/domain/planner.ts';
import type { TrainingEstimate } from '#/domain/training-estimate.ts';
import type { GPUConfig } from '#/domain/training-spec.ts';
import type { Context } from '#/services/context.ts';
import { readGpuCatalog } from '#/services/gpu-catalog/read-gpu-catalog.ts';
import { findModel } from '#/services/models/model-row.ts';
import { chooseGpu } from './choose-gpu.ts';
import { estimateFor, type PricedGpu } from './configure-job.ts';
import { readyDataset } from './ready-dataset.ts';

/** What an estimate is asked of. */
export interface EstimateQuestion {
  dataset_id: string;
  gpu_config: GPUConfig;
  hyperparameters: EstimatedHyperparameters;
  base_model_id?: string | undefined;
}

export interface EstimateAnswer {
  estimate: TrainingEstimate;
  gpu: PricedGpu;
  dataset_name: string;
}

/**
 * What a training of the caller's would take; stores nothing. Throws `not_found` (dataset, base model), `dataset_not_ready`,
 * `dataset_not_training_ready` and `invalid_request` (GPU type).
 */
export function estimateJob(ctx: Context, question: EstimateQuestion): Promise<EstimateAnswer> {
  return asUser(ctx.user_id, async (tx) => {
    const dataset = await readyDataset(tx, question.dataset_id);
    if (question.base_model_id !== undefined) await findModel(tx, question.base_model_id);
    const gpu = chooseGpu(await readGpuCatalog(tx), question.gpu_config);
    const { batch_size, epochs, rank } = question.hyperparameters;
    const plan = countSteps(dataset.total_training_pairs ?? 0, batch_size, epochs, null);
    return { estimate: estimateFor(plan, dataset, rank, gpu), gpu, dataset_name: dataset.name };
  });
}
