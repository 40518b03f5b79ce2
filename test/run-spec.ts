import type { RunSpec } from '#/worker/executors/executor.ts';

/** The first attempt of a job on the CPU, without limits, that reads nothing; `more` is what it has of its own. */
export function runSpec(job_id: string, more: Partial<RunSpec> = {}): RunSpec {
  const nowhere = '/nowhere';
  return {
    job_id,
    attempt: 1,
    devices: [],
    all_devices: false,
    image: null,
    limits: {},
    paths: {
      dataset_path: nowhere,
      base_model_path: nowhere,
      init_adapters: [],
      resume_from: null,
      job_folder: nowhere,
      output_path: nowhere,
    },
    ...more,
  };
}
