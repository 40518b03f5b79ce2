import { hoursOf, type TrainingEstimate } from '#/contract/estimates.ts';
import { memoryFigures } from '#/domain/memory-figures.ts';
import { ESTIMATE_CONSTANTS } from '#/domain/training-estimate.ts';
import type { EstimateAnswer } from '#/services/jobs/estimate-job.ts';

/** An estimate in door B's words. */
export function presentEstimate({ forecast, gpu, dataset_name }: EstimateAnswer): TrainingEstimate {
  const { estimate } = forecast;
  const { verdict, interval_mb, advice, evidence } = memoryFigures(forecast);
  const { compute, storage, total } = estimate.cost;
  return {
    estimated_cost: total,
    cost_breakdown: { compute, storage },
    estimated_duration_hours: hoursOf(estimate.duration_hours),
    duration_breakdown: { training_hours: hoursOf(estimate.training_hours), overhead_hours: hoursOf(estimate.overhead_hours) },
    hourly_rate: estimate.hourly_rate,
    gpu_config: { type: gpu.type, count: gpu.count },
    training_details: {
      total_steps: estimate.total_steps,
      steps_per_epoch: estimate.steps_per_epoch,
      estimated_throughput_tokens_per_sec: estimate.tokens_per_second,
      estimated_tokens: estimate.tokens,
      tokens_counted: estimate.tokens_counted,
      dataset_name,
    },
    verdict,
    interval_mb,
    advice,
    evidence,
    constants: ESTIMATE_CONSTANTS,
  };
}
