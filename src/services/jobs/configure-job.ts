import { planTraining } from '#/domain/planner.ts';
import type { TrainingSpec } from '#/domain/training-spec.ts';
import type { DatasetRow } from '#/services/datasets/dataset-row.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';

/** `current_stage` of a job that waits for its base model: no worker claims it. */
export const FETCHING_MODEL = 'fetching_model';

/**
 * The columns of a job that follow from its spec and from what that names: everything filled in and counted. Of a model that
 * is still being fetched nothing is known yet: then it is done again when the model is there.
 */
export function configureJob(spec: TrainingSpec, dataset: DatasetRow, model: BaseModelRow) {
  const plan = planTraining(
    spec,
    { training_pairs: dataset.total_training_pairs ?? 0, validation_pairs: dataset.total_validation_pairs ?? 0 },
    { context_length: model.context_length ?? Number.MAX_SAFE_INTEGER },
  );
  return {
    config: {
      spec,
      plan,
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
    total_steps: plan.total_steps,
  };
}
