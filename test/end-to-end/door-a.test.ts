import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { json } from '../api.ts';
import { type DoorAExecutor, doorAWalks, setDoorA } from '../door-a-scene.ts';
import { attemptsAlive } from '../worker-scene.ts';

const processes: DoorAExecutor = {
  variables: {},
  alive: async () => [...(await attemptsAlive()).keys()],
  inspect: async (job_id, house) => {
    const job_folder = join(house.host.data_dir, 'runs', job_id);
    expect(await house.configOf(job_id)).toMatchObject({ job_folder, output_path: join(job_folder, '1/outputs') });
  },
};
const house = setDoorA(processes);

doorAWalks(house, processes);

describe('a training by the name of a model', () => {
  test.each([
    ['acme/gone', 'model_not_found'],
    ['acme/gated', 'gated_model'],
  ])('%s fails as %s', async (base_model, code) => {
    const { job_id, status } = await house.submit(0.001, { base_model });
    expect(status).toBe('queued');
    expect(await house.until(job_id)).toMatchObject({ status: 'failed', error_code: code, attempt: 0 });
    expect(await house.look(job_id)).toMatchObject({ status: 'failed', error: { code, hint: expect.stringMatching(/\.$/) } });
  });
});

test('a training on two places of a processor has both, and its trainer is told to share its batches', async () => {
  const [base] = await house.db.asOwner<{ id: string }>("SELECT id FROM lowrank.base_models WHERE hf_repo_id = 'acme/tiny'");
  const gpu_config = { type: 'CPU', count: 2 };
  const asked = { dataset_id: house.dataset_id, base_model_id: base?.id, preset_id: 'fast', hyperparameters: {}, gpu_config };
  const { data } = await house.call<{ data: { id: string } }>('/api/jobs', json({ ...asked, max_steps: 5 }));
  expect(await house.until(data.id)).toMatchObject({ status: 'completed', attempt: 1 });
  expect(await house.configOf(data.id)).toMatchObject({ devices: 2, strategy: 'ddp', device: 'cpu' });
  const leased = await house.db.asOwner(
    'SELECT d.uuid FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id WHERE job_id = $1 ORDER BY 1',
    [data.id],
  );
  expect(leased).toEqual([{ uuid: 'cpu' }, { uuid: 'cpu-2' }]);
});
