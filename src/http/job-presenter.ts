import type { MetricPoint } from '#/contract/job-reads.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { forecastOf, type ToldForecast } from '#/domain/foresight/learning/observed-run.ts';
import type { JobRow } from '#/services/jobs/job-row.ts';
import type { MetricRow } from '#/services/jobs/read-metrics.ts';

/** NUMERIC comes as text, so that no reader loses a digit; a sum of money to the cent is exact as a number, too. */
const usd = (amount: string | null): number | null => (amount === null ? null : Number(amount));

const instant = (at: Date | null): string | null => at?.toISOString() ?? null;

function told(forecast: ToldForecast | null): TrainingJob['forecast'] {
  if (forecast === null) return null;
  const { features: _, ...figures } = forecast;
  return figures;
}

/** A job in door B's words. */
export function presentJob({ job, dataset, base_model, training_image, contact_lost_at }: JobRow): TrainingJob {
  return {
    id: job.id,
    name: job.name,
    type: job.type,
    status: job.status,
    current_stage: job.current_stage,
    progress: job.progress,
    current_step: job.current_step,
    total_steps: job.total_steps,
    current_epoch: job.current_epoch,
    total_epochs: job.total_epochs,
    current_metrics: job.current_metrics,
    preset_id: job.preset_id,
    hyperparameters: job.hyperparameters,
    gpu_config: job.gpu_config,
    config: job.config,
    priority: job.priority,
    dataset_id: job.dataset_id,
    dataset,
    base_model_id: job.base_model_id,
    base_model,
    artifact_id: job.artifact_id,
    estimated_total_cost: usd(job.estimated_total_cost),
    hourly_rate: Number(job.hourly_rate),
    current_cost: Number(job.current_cost),
    final_cost: usd(job.final_cost),
    forecast: told(forecastOf(job.config)),
    measured: job.measured,
    samples: job.samples,
    failure:
      job.error_code === null
        ? null
        : { code: job.error_code, message: job.error_message ?? job.error_code, hint: job.error_hint, stack: job.error_stack },
    retried_from: job.retried_from,
    retry_count: job.retry_count,
    attempt: job.attempt,
    executor: job.executor,
    training_image,
    cancel_requested_at: instant(job.cancel_requested_at),
    pause_requested_at: instant(job.pause_requested_at),
    held_at: instant(job.held_at),
    contact_lost_at: instant(contact_lost_at),
    queued_at: job.queued_at.toISOString(),
    started_at: instant(job.started_at),
    completed_at: instant(job.completed_at),
    estimated_completion_at: instant(job.estimated_completion_at),
    created_at: job.created_at.toISOString(),
    updated_at: job.updated_at.toISOString(),
  };
}

export function presentPoint(point: MetricRow): MetricPoint {
  return {
    attempt: point.attempt,
    seq: point.seq,
    step: point.step,
    epoch: point.epoch,
    timestamp: point.timestamp.toISOString(),
    loss: point.loss,
    eval_loss: point.eval_loss,
    learning_rate: point.learning_rate,
    grad_norm: point.grad_norm,
    tokens_per_second: point.tokens_per_second,
    samples_per_second: point.samples_per_second,
    gpu_memory_mb: point.gpu_memory_mb,
    peak_memory_mb: point.peak_memory_mb,
    extra: point.extra,
  };
}
