import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ACTIVITIES_KEPT } from '#/domain/row-caps.ts';
import { useDatabase } from '../../../test/database.ts';
import { addPerson } from '../../../test/factories.ts';
import { pruneActivities } from './prune-activities.ts';

const db = useDatabase();

test('a feed keeps its newest ten thousand, and nobody else’s loses anything for it', async () => {
  const [long, short] = [await addPerson(db), await addPerson(db)];
  const add = (user_id: string, many: number) =>
    db.asOwner(
      `INSERT INTO lowrank.activities (user_id, event_type, entity_type, entity_id, title, message, created_at)
       SELECT $1, 'job_created', 'job', $2, 'n' || n, '', now() - n * interval '1 s' FROM generate_series(1, $3::integer) AS n`,
      [user_id, randomUUID(), many],
    );
  await add(long, ACTIVITIES_KEPT + 3);
  await add(short, 5);
  expect([await pruneActivities(), await pruneActivities()]).toEqual([3, 0]);
  const left = await db.asOwner<{ user_id: string; n: number; oldest: string }>(
    `SELECT user_id, count(*)::integer AS n, max(substr(title, 2)::integer) AS oldest FROM lowrank.activities GROUP BY user_id`,
  );
  expect(new Map(left.map(({ user_id, n, oldest }) => [user_id, [n, oldest]]))).toEqual(
    new Map([
      [long, [ACTIVITIES_KEPT, ACTIVITIES_KEPT]],
      [short, [5, 5]],
    ]),
  );
});
