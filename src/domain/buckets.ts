import { GB } from './bytes.ts';
import { DATASET_BYTES_MAX } from './constants.ts';

/** The buckets of object storage: what was received, and what was published. Both are private; a file's path begins with its owner's id. */
export const BUCKETS = {
  datasets: { name: 'lora-datasets', file_bytes_max: DATASET_BYTES_MAX },
  /** Larger outputs come in shards. */
  models: { name: 'lora-models', file_bytes_max: 5 * GB },
} as const;
