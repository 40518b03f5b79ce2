import * as z from 'zod';
import { AppError } from '#/domain/app-error.ts';
import { PROBE_STEPS } from '#/domain/attempt-config.ts';
import type { Forecast } from '#/domain/foresight/foresee.ts';
import { storeForecast } from '#/domain/foresight/store-forecast.ts';
import { type RunLimits, skippedLimits } from '#/domain/run-limits.ts';
import { TRAINER_STEPS_MAX } from '#/domain/trainer-config-parts.ts';
import { skippedWishes, type TrainingSpec } from '#/domain/training-spec.ts';
import { env } from '#/env.ts';
import type { DatasetRow } from '#/services/datasets/dataset-row.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';

/** `current_stage` of a job that waits for its base model: no worker claims it. */
export const FETCHING_MODEL = 'fetching_model';

/** The devices of a job with their price as it stood at the submission: whatever the catalogue says later. */
export const PricedGpu = z.object({
  type: z.string(),
  count: z.int(),
  hourly_rate: z.number(),
  tokens_per_second: z.number(),
});
export type PricedGpu = z.infer<typeof PricedGpu>;

/** What a spec names and asks for, looked up and granted. */
interface Configured {
  dataset: DatasetRow;
  model: BaseModelRow;
  gpu: PricedGpu;
  limits: RunLimits;
  /** Its type is what the machine has, also when that turns out otherwise before it starts. */
  own_device: boolean;
  forecast: Forecast;
}

const PROBED = PROBE_STEPS.warmup_steps + PROBE_STEPS.timed_steps;

/**
 * The columns of a job that follow from its spec and from what that names: everything filled in and counted. Of a model that
 * is still being fetched nothing is known yet: then it is done again when the model is there. Throws `not_trainable` for more steps than are counted.
 */
export function configureJob(spec: TrainingSpec, { dataset, model, gpu, limits, own_device, forecast }: Configured) {
  const { plan, estimate } = forecast;
  refuseEndless(plan.total_steps);
  return {
    config: {
      spec,
      plan,
      gpu,
      /** What its runs are held to: `spec` has what was asked for. */
      limits,
      own_device,
      forecast: storeForecast(forecast),
      /** By our estimate, for whoever waits behind it. */
      duration_s: (spec.probe_only ? estimate.overhead_hours : estimate.duration_hours) * 3600,
      /** told by the job's first events */
      skipped: [...skippedWishes(spec.run, dataset.modality), ...skippedLimits(limits, env.LOWRANK_EXECUTOR)],
      dataset: {
        checksum: dataset.checksum,
        format: dataset.format,
        container: dataset.statistics.container,
        mapping: dataset.mapping,
        invalid_rows: dataset.invalid_rows,
        file_name: dataset.file_name,
      },
      base_model: { name: model.name, hf_repo_id: model.hf_repo_id, revision: model.hf_revision, checksum: model.checksum },
    },
    total_epochs: plan.total_epochs,
    // The first steps alone are soon measured, and cost next to nothing until then.
    total_steps: spec.probe_only ? Math.min(plan.total_steps, PROBED) : plan.total_steps,
    estimated_total_cost: spec.probe_only ? null : estimate.cost.total.toFixed(2),
    hourly_rate: estimate.hourly_rate.toFixed(2),
  };
}

function refuseEndless(total_steps: number): void {
  if (total_steps <= TRAINER_STEPS_MAX) return;
  const message = `This training has ${total_steps} steps, and a run has at most ${TRAINER_STEPS_MAX}: ask for fewer epochs, larger batches or max_steps`;
  throw new AppError('not_trainable', message, [{ path: 'max_steps', message, code: 'too_big' }]);
}
