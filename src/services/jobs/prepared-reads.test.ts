import { beforeAll, expect, test } from 'vitest';
import type { Context } from '#/services/context.ts';
import { useDatabase } from '../../../test/database.ts';
import { addBaseModel, addDataset, addJob, addPerson } from '../../../test/factories.ts';
import { getJob } from './get-job.ts';
import { listJobs } from './list-jobs.ts';

const db = useDatabase();
const people: { ctx: Context; job_id: string }[] = [];
/** The server plans a prepared statement for good after five runs; the connections of the pool are ten. */
const TURNS = 80;

beforeAll(async () => {
  const model = await addBaseModel(db);
  for (let at = 0; at < 3; at++) {
    const user_id = await addPerson(db);
    const job_id = await addJob(db, user_id, { dataset_id: await addDataset(db, user_id), base_model_id: model });
    people.push({ ctx: { user_id, role: 'user' }, job_id });
  }
});

test('a prepared read is its caller’s alone, however many others the same connection has served', async () => {
  for (let turn = 0; turn < TURNS; turn++) {
    const [mine, other] = [people[turn % 3], people[(turn + 1) % 3]];
    if (mine === undefined || other === undefined) throw new Error('there are three people');
    expect((await getJob(mine.ctx, mine.job_id)).job.id).toBe(mine.job_id);
    await expect(getJob(mine.ctx, other.job_id)).rejects.toMatchObject({ code: 'not_found' });
    const { jobs, total } = await listJobs(mine.ctx, { offset: 0, limit: 20 });
    expect([jobs.map(({ job }) => job.id), total.total]).toEqual([[mine.job_id], 1]);
  }
});
