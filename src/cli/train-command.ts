import { openClient } from './api-client.ts';
import { checkRequest, describeResult, finishTraining, parseSettings, submitTraining } from './train.ts';
import { parseMapping } from './upload-dataset.ts';

export interface TrainOptions {
  dataset: string;
  map?: string;
  skipInvalid?: boolean;
  model?: string;
  preset: string;
  set: string[];
  name?: string;
  output?: string;
  follow?: boolean;
}

/** `lowrank train`: as a client of the API like any other. */
export async function trainCommand(options: TrainOptions): Promise<void> {
  const request = {
    dataset: options.dataset,
    mapping: parseMapping(options.map),
    skip_invalid: options.skipInvalid === true,
    model: options.model,
    preset: options.preset,
    settings: parseSettings(options.set),
    name: options.name,
  };
  checkRequest(request);
  const client = await openClient();
  const job = await submitTraining(client, request, (line) => console.log(line));
  console.log(`job: ${client.url}/jobs/${job.id}`);
  if (options.follow !== true) return;
  const result = await finishTraining(client, job.id, options.output);
  for (const line of describeResult(result)) console.log(line);
}
