import type { datasets } from '#/db/schema/datasets.ts';
import type { Tx } from '#/db/tenancy.ts';
import { type Forecast, type ForeseeQuestion, foresee } from '#/domain/foresight/foresee.ts';
import { foreseeImages } from '#/domain/foresight/images/foresee-images.ts';
import type { Corrections } from '#/domain/foresight/learning/correction.ts';
import { imageShapeOfRow, shapeOfRow } from '#/domain/foresight/models/stored-shape.ts';
import { rowLengths, trainedShare } from '#/domain/foresight/time/row-lengths.ts';
import { factsOfGpu, findGpu, type GpuEntry } from '#/domain/gpu-catalog.ts';
import { imageDatasetFacts } from '#/domain/image-dataset.ts';
import type { ImageSpec } from '#/domain/image-plan.ts';
import { withOwnDevices } from '#/domain/own-devices.ts';
import { readCorrections } from '#/services/accuracy/read-corrections.ts';
import { ownDevices } from '#/services/machine/own-devices.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';
import type { PricedGpu } from './configure-job.ts';

/** What of a dataset the planner counts with. */
export type CountedDataset = Pick<
  typeof datasets.$inferSelect,
  'modality' | 'total_training_pairs' | 'total_validation_pairs' | 'total_tokens' | 'file_size' | 'statistics' | 'metadata'
>;

/** What a forecast stands on besides the training itself, as it is for this transaction. */
export interface ForesightSources {
  catalog: readonly GpuEntry[];
  corrections: Corrections;
}

export async function readForesight(tx: Tx, user_id: string, catalog: readonly GpuEntry[]): Promise<ForesightSources> {
  return { catalog: withOwnDevices(catalog, await ownDevices(tx)), corrections: await readCorrections(tx, user_id) };
}

/** A training as its rows say it; the device by its name and price. */
export interface AskedTraining {
  spec: ForeseeQuestion['spec'] & ImageSpec;
  dataset: CountedDataset;
  /** null: none was named. */
  model: Pick<BaseModelRow, 'name' | 'hf_repo_id' | 'shape' | 'context_length'> | null;
  gpu: PricedGpu;
  /** Some of a dataset of images, for the samples. */
  captions?: readonly string[];
}

/** The one forecast of a training, for whoever asks before it and for the job that is stored. */
export function foreseeTraining({ catalog, corrections }: ForesightSources, asked: AskedTraining): Forecast {
  const { spec, dataset, model, gpu, captions = [] } = asked;
  const entry = findGpu(catalog, gpu.type);
  const device = { ...gpu, facts: entry === null ? null : factsOfGpu(entry) };
  const offers = catalog.map((offer) => ({ ...offer, count: gpu.count, facts: factsOfGpu(offer) }));
  if (dataset.modality === 'image') {
    const shape = imageShapeOfRow(model?.shape ?? null);
    return foreseeImages({
      spec,
      dataset: { ...imageDatasetFacts(dataset), bytes: dataset.file_size },
      model: { shape, name: model?.hf_repo_id ?? model?.name ?? '' },
      captions,
      device,
      offers,
    });
  }
  return foresee({
    spec,
    dataset: {
      training_pairs: dataset.total_training_pairs ?? 0,
      validation_pairs: dataset.total_validation_pairs ?? 0,
      tokens: dataset.total_tokens,
      bytes: dataset.file_size,
      lengths: rowLengths(dataset.statistics),
      trained_share: trainedShare(dataset.statistics),
    },
    model: { shape: shapeOfRow(model?.shape ?? null), context_length: model?.context_length ?? null },
    device,
    offers,
    corrections,
  });
}
