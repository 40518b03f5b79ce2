/** Two published estimators by their own rules, on the same rows: what a planner has to beat. They say nothing of time. */
import { GB } from '#/domain/bytes.ts';
import type { ModelShape } from '#/domain/foresight/models/model-shape.ts';
import { countAdapterParameters, countParameters } from '#/domain/foresight/models/parameter-counts.ts';
import type { RunShape } from '#/domain/foresight/run-shape.ts';
import type { TextRow } from './measured-row.ts';
import { type Prediction, type Predictor, plannedOf } from './predictions.ts';

const GIB = 2 ** 30;

function alone(bytes: number): Prediction {
  const gb = bytes / GB;
  return {
    allocated: gb,
    reserved: gb,
    device: gb,
    low: null,
    high: null,
    seconds: null,
    low_seconds: null,
    high_seconds: null,
    parts: '',
  };
}

/** One device, as both rules mean it. */
function plannedAlone(row: TextRow): { model: ModelShape; run: RunShape } | null {
  return row.request.gpus === 1 ? plannedOf(row) : null;
}

/**
 * `accelerate estimate-memory`, column "Training using Adam": the most of weights, gradients, optimizer and step, where fp32 counts 4
 * copies of the fp32 model in a step and mixed precision 2 in the optimizer (huggingface/accelerate 16cb6eb,
 * src/accelerate/commands/estimate.py, estimate_training_usage). It knows neither adapters nor quantization nor activations.
 */
export const accelerateRule: Predictor = (row) => {
  const planned = plannedAlone(row);
  if (planned === null) return null;
  const fp32 = 4 * countParameters(planned.model).total;
  return alone(planned.run.precision === 'fp32' ? 4 * fp32 : 2 * fp32);
};

/**
 * Unsloth Studio's VRAM_ESTIMATION.md (unslothai/unsloth 015bdef, studio/backend/utils/hardware), sections 1 to 7, for dense models of
 * alike blocks with q, k, v, o and a gated MLP; checkpointing as its HF mode. Its figures are for Unsloth's own kernels.
 */
export const unslothRule: Predictor = (row) => {
  const planned = plannedAlone(row);
  const [block, ...others] = planned?.model.blocks ?? [];
  if (planned === null || block === undefined || others.length > 0 || !block.mlp.gated || block.mlp.experts !== null) return null;
  const { model, run } = planned;
  const counts = countParameters(model);
  const rest = counts.total - counts.linears - counts.fused;
  const quantized = { none: 2, nf4: 2 / 3.2, 'nf4-dq': 2 / 3.6, int8: null }[run.quantization];
  if (quantized === null) return null;
  const weights = counts.linears * quantized + rest * 2;
  const adapter = run.adapter === null ? null : countAdapterParameters(model, run.adapter, run.method === 'dora');
  if (adapter?.ok === false) return null;
  const trained = adapter?.params ?? counts.total;
  const optimizer =
    trained * ({ adamw: 6, adamw_8bit: 4, paged_adamw_8bit: 4, sgd: 4, adafactor: 4, lion: 4 }[run.optimizer] ?? 6);
  const { kv_heads, head_dim, heads } = block.attention;
  const per_layer =
    run.micro_batch * run.seq_len * (model.hidden + 2 * kv_heads * head_dim + 2 + 2 * block.mlp.intermediate) * 2 * 1.25;
  const layers = run.gradient_checkpointing ? (adapter === null ? 2 : 1) : block.count;
  const scores = run.attention === 'eager' ? run.micro_batch * heads * run.seq_len ** 2 * 2 * 12 * layers : 0;
  const activations = Math.max(per_layer * layers, scores);
  const floor = adapter === null ? weights * 0.15 : Math.min(weights * 0.15, Math.max(activations, optimizer));
  const gradients = Math.max(trained * 2, floor);
  return alone(weights + (adapter === null ? 0 : trained * 2) + optimizer + gradients + activations + 1.4 * GIB);
};
