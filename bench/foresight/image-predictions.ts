/** What the planner says of a measured training of an image model; null: nothing. */
import { GB } from '#/domain/bytes.ts';
import { findDevice } from '#/domain/foresight/devices/known-devices.ts';
import { estimateImageTraining } from '#/domain/foresight/images/estimate-image.ts';
import type { ImageRow } from './measured-row.ts';
import type { Prediction } from './predictions.ts';

/** Of LyCORIS adapters and quantized denoisers the planner says nothing. */
export function foretoldImage({ request }: ImageRow): Prediction | null {
  const { method, rank, gpu, quantization, encoders_cached, precision, model, resolution, batch, gradient_checkpointing } =
    request;
  const device = findDevice(gpu);
  if (device === null || method === 'lokr' || quantization !== 'none' || precision === 'fp16') return null;
  const said = estimateImageTraining(
    {
      model,
      method,
      rank: rank ?? 0,
      resolution,
      batch,
      grad_accum: 1,
      devices: 1,
      strategy: 'none',
      gradient_checkpointing,
      weights_dtype: precision,
      cached_embeddings: encoders_cached,
      cached_latents: encoders_cached,
      prior_preservation: false,
      ema: false,
      validation: false,
    },
    device,
  );
  if (said === null) return null;
  const { memory, time } = said;
  return {
    allocated: (memory.allocator_bytes - memory.components.slack) / GB,
    reserved: memory.allocator_bytes / GB,
    device: memory.device_bytes / GB,
    low: memory.low_bytes / GB,
    high: memory.high_bytes / GB,
    seconds: time.seconds_per_step,
    low_seconds: time.low_seconds,
    high_seconds: time.high_seconds,
    parts: said.class,
  };
}
