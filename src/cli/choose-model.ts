import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BaseModel } from '#/contract/base-models.ts';
import { PIPELINE_INDEX } from '#/domain/image-pipeline.ts';
import type { ApiClient } from './api-client.ts';
import { CommandError } from './command-error.ts';
import { openProgressLine } from './progress-bar.ts';

const POLL_MS = 1_000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HUB_ID = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?$/;

/**
 * The base model that a person named: one that is registered, by name or id, a folder on the studio's machine, or a Hub id
 * (`owner/name`, `owner/name@revision`); registers the last two and waits until the files are there.
 * `name` is what a folder is called that is not registered yet.
 */
export async function chooseModel(client: ApiClient, wanted: string, name?: string): Promise<BaseModel> {
  // A search looks at names: an id is asked for itself.
  if (UUID.test(wanted)) return readyModel(client, wanted);
  const { models } = await client.call<{ models: BaseModel[] }>(
    'GET',
    `/api/base-models?${new URLSearchParams({ search: wanted })}`,
  );
  const known = models.find((model) => model.name === wanted);
  if (known !== undefined) return readyModel(client, known.id);
  if (existsSync(join(wanted, 'config.json')) || existsSync(join(wanted, PIPELINE_INDEX))) {
    const model = await client.call<BaseModel>('POST', '/api/base-models', {
      path: resolve(wanted),
      ...(name !== undefined && { name }),
    });
    return readyModel(client, model.id);
  }
  const hub = HUB_ID.exec(wanted);
  if (hub === null) {
    throw new CommandError(
      `--model ${wanted}: is no registered model, no folder with a config.json or ${PIPELINE_INDEX} and no Hub id (owner/name)`,
    );
  }
  const body = { hf_repo_id: hub[1], ...(hub[2] !== undefined && { revision: hub[2] }) };
  const model = await client.call<BaseModel>('POST', '/api/base-models', body);
  return readyModel(client, model.id);
}

async function readyModel(client: ApiClient, id: string): Promise<BaseModel> {
  const line = openProgressLine();
  try {
    for (;;) {
      const model = await client.call<BaseModel>('GET', `/api/base-models/${id}`);
      if (model.status === 'ready') return model;
      if (model.status === 'error')
        throw new CommandError(`${model.name}: ${model.status_reason?.message ?? 'could not be registered'}`);
      line.show({ stage: 'fetching model', done: 0, total: 0, count: model.name });
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    line.clear();
  }
}
