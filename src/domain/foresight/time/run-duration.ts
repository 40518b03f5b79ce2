/** From the first second of a run to its last: what its steps take, and what stands before, between and after them. */
import { GB } from '../../bytes.ts';
import type { TrainingPlan } from '../../planner.ts';
import type { ModelShape } from '../models/model-shape.ts';
import { countAdapterParameters, countParameters } from '../models/parameter-counts.ts';
import type { RunShape } from '../run-shape.ts';

/** Seconds, by what they go into. */
export interface RunDuration {
  /** Python and torch come up, the rows are tokenized, the weights read and, where they are to be, quantized. */
  startup_s: number;
  training_s: number;
  evaluation_s: number;
  checkpoints_s: number;
  /** The adapter is written and read again, and everything is hashed. */
  saving_s: number;
}

/** What stands around the steps of a known model. Of disks and processors; an installation's own may be faster or slower. */
export const DURATION_CONSTANTS = {
  /** Imports of torch, transformers and peft, and the device made ready; measured here: 6 s of one core without a GPU. */
  process_s: 15,
  /** Weights from a disk that has not read them lately: an SSD. */
  disk_bytes_per_s: 1 * GB,
  /** 16-bit weights that become 4-bit ones on a GPU, with their copy to it. */
  quantized_bytes_per_s: 2 * GB,
  /** Rows through template and tokenizer on one core. */
  tokenized_per_s: 200_000,
  /** A checkpoint is flushed, moved into place and hashed. */
  checkpoint_s: 1,
  written_bytes_per_s: 0.5 * GB,
  saving_s: 10,
} as const;

/** Of a step's seconds, those of its forward pass: 2 of 4 operations a weight where the base is frozen, 2 of 6 where it is not. */
function forwardShare({ method, gradient_checkpointing }: RunShape): number {
  return 2 / ((method === 'full' ? 6 : 4) + (gradient_checkpointing ? 2 : 0));
}

const BYTES = { bf16: 2, fp16: 2, fp32: 4 } as const;

/**
 * What a run takes whose steps take `seconds_per_step`. `tokens`: of the whole dataset, null where they were not counted.
 * Evaluations go forward only, before the first step, at each interval and after the last.
 */
export function runDuration(
  model: ModelShape,
  run: RunShape,
  plan: Pick<TrainingPlan, 'total_steps' | 'eval_rows' | 'eval_interval' | 'checkpoint_interval'>,
  tokens: number | null,
  seconds_per_step: number,
): RunDuration {
  const k = DURATION_CONSTANTS;
  const { total_steps, eval_rows, eval_interval, checkpoint_interval } = plan;
  // Files hold 16 bits, whatever they become.
  const file_bytes = countParameters(model).total * 2;
  const adapter = run.adapter === null ? null : countAdapterParameters(model, run.adapter, run.method === 'dora');
  const trained_bytes = adapter === null ? file_bytes : adapter.ok ? adapter.params * BYTES[run.adapter?.dtype ?? 'fp32'] : 0;
  const quantizing = run.quantization === 'none' ? 0 : file_bytes / k.quantized_bytes_per_s;
  const rows_per_step = run.micro_batch * run.grad_accum * run.gpus;
  const an_evaluation = (eval_rows / rows_per_step) * seconds_per_step * forwardShare(run);
  const evaluations = eval_interval > 0 ? Math.ceil(total_steps / eval_interval) + 1 : 2;
  const checkpoints = checkpoint_interval > 0 ? Math.ceil(total_steps / checkpoint_interval) : 1;
  return {
    startup_s: k.process_s + file_bytes / k.disk_bytes_per_s + quantizing + (tokens ?? 0) / k.tokenized_per_s,
    training_s: total_steps * seconds_per_step,
    evaluation_s: eval_rows === 0 ? 0 : evaluations * an_evaluation,
    // Weights and two moments of each.
    checkpoints_s: checkpoints * (k.checkpoint_s + (3 * trained_bytes) / k.written_bytes_per_s),
    saving_s: k.saving_s + trained_bytes / k.written_bytes_per_s,
  };
}
