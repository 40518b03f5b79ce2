import type { JobFailure } from '#/domain/job-state.ts';
import { bareFailure } from '#/domain/run-verdict.ts';
import type { TrainerConfig } from '#/domain/trainer-config.ts';
import { whatItLacks } from '#/domain/trainer-hello.ts';
import type { HeldRun } from '#/services/jobs/read-run.ts';
import { readRunImage } from '#/services/training-images/use-image.ts';
import type { RunImage } from './executors/executor.ts';

/**
 * What a run is to live in: the image that its training names, as it was checked; null when it names none. One that is off the list by
 * now, or was checked anew and cannot do it, is a failure with its reason, as is any where runs are processes.
 */
export async function runImage(
  { executor }: Pick<HeldRun, 'executor'>,
  id: string | null,
  config: Pick<TrainerConfig, 'model_kind' | 'method' | 'strategy' | 'devices'>,
): Promise<RunImage | JobFailure | null> {
  if (id === null) return null;
  const refuse = (message: string) => bareFailure('launch_failed', message);
  if (executor === 'process')
    return refuse(
      'This training names an image (training_image_id), and its worker runs trainings as processes, which have none.',
    );
  const image = await readRunImage(id);
  if (image === null) return refuse('The image that this training names is off the list of training images, or no good by now.');
  const lack = whatItLacks(image.hello, config);
  if (lack !== null) return refuse(`Training image ${image.name} cannot do this training. ${lack}`);
  return { reference: image.reference, digest: image.digest };
}
