import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { JOB_STATUSES, LEGAL_JOB_TRANSITIONS } from '#/domain/statuses.ts';
import { useDatabase } from '../../test/database.ts';
import { addJob, addPerson } from '../../test/factories.ts';
import { asScheduler, asUser } from './tenancy.ts';

const db = useDatabase();

async function messageOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    const texts: string[] = [];
    for (let at: unknown = error; at instanceof Error; at = at.cause) texts.push(at.message);
    return texts.join('\n');
  }
  throw new Error('was expected to be refused');
}

describe('the state machine in the database', () => {
  let owner: string;
  beforeAll(async () => {
    owner = await addPerson(db);
  });

  test('every pair that is not legal is refused, every legal one is accepted', async () => {
    for (const from of JOB_STATUSES) {
      for (const to of JOB_STATUSES) {
        if (from === to) continue;
        const job = await addJob(db, owner, { status: from });
        const legal = LEGAL_JOB_TRANSITIONS.some(([a, b]) => a === from && b === to);
        const slot = ['initializing', 'running'].includes(to) ? 1 : null;
        const move = asScheduler((tx) =>
          tx.execute(
            sql`UPDATE lowrank.training_jobs SET status = ${to}, slot = ${slot}, error_code = ${to === 'failed' ? 'internal' : null} WHERE id = ${job}`,
          ),
        );
        if (legal) await move;
        else expect(await messageOf(move)).toMatch(/illegal job transition/);
        await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [job]);
      }
    }
  });

  test('a user may cancel what is queued and move nothing else', async () => {
    const queued = await addJob(db, owner, { status: 'queued' });
    await asUser(owner, (tx) => tx.execute(sql`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = ${queued}`));
    const running = await addJob(db, owner, { status: 'running' });
    expect(
      await messageOf(
        asUser(owner, (tx) => tx.execute(sql`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = ${running}`)),
      ),
    ).toMatch(/only the scheduler/);
    expect(
      await messageOf(
        asUser(owner, (tx) => tx.execute(sql`UPDATE lowrank.training_jobs SET progress = 100 WHERE id = ${running}`)),
      ),
    ).toMatch(/permission denied/);
    await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [running]);
  });

  test("a user's own insert can make a queued job and nothing else", async () => {
    const like = await addJob(db, owner, { status: 'queued' });
    const copy = (columns: string, values: string) =>
      asUser(owner, (tx) =>
        tx.execute(
          sql.raw(`INSERT INTO lowrank.training_jobs (user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config,
            total_epochs, total_steps${columns}) SELECT user_id, name, type, dataset_id, base_model_id, preset_id, hyperparameters, gpu_config, config,
            total_epochs, total_steps${values} FROM lowrank.training_jobs WHERE id = '${like}'`),
        ),
      );
    await copy('', '');
    for (const [column, value] of [
      ['status', "'completed'"],
      ['epoch', '9'],
      ['progress', '100'],
      ['artifact_id', 'gen_random_uuid()'],
      ['pause_requested_at', 'now()'],
      ['discard_requested_at', 'now()'],
    ]) {
      expect(await messageOf(copy(`, ${column}`, `, ${value}`))).toMatch(/queued and nothing else/);
    }
  });

  test('more jobs than slots cannot be active, whatever the statement says', async () => {
    const person = await addPerson(db);
    await addJob(db, person, { status: 'running', slot: 1 });
    await addJob(db, person, { status: 'running', slot: 2 });
    const third = await addJob(db, person, { status: 'queued' });
    for (const slot of [1, 2]) {
      expect(
        await messageOf(
          asScheduler((tx) =>
            tx.execute(sql`UPDATE lowrank.training_jobs SET status = 'initializing', slot = ${slot} WHERE id = ${third}`),
          ),
        ),
      ).toMatch(/training_jobs_slot_key/);
    }
    expect(
      await messageOf(
        asScheduler((tx) =>
          tx.execute(sql`UPDATE lowrank.training_jobs SET status = 'initializing', slot = 3 WHERE id = ${third}`),
        ),
      ),
    ).toMatch(/training_jobs_slot_fk/);
    expect(
      await messageOf(
        asScheduler((tx) => tx.execute(sql`UPDATE lowrank.training_jobs SET status = 'initializing' WHERE id = ${third}`)),
      ),
    ).toMatch(/training_jobs_slot_check/);
  });

  test('each move leaves exactly one event, contiguous and linked, and the epoch grows with the claim', async () => {
    const person = await addPerson(db);
    const job = await addJob(db, person, { status: 'queued' });
    const steps = ['initializing', 'running', 'queued', 'initializing', 'running', 'completed'];
    for (const to of steps) {
      const slot = ['initializing', 'running'].includes(to) ? 1 : null;
      await asScheduler((tx) =>
        tx.execute(sql`UPDATE lowrank.training_jobs SET status = ${to}, slot = ${slot} WHERE id = ${job}`),
      );
    }
    const events = await db.asOwner<{ seq: number; from_status: string | null; to_status: string }>(
      'SELECT seq, from_status, to_status FROM lowrank.job_events WHERE job_id = $1 ORDER BY seq',
      [job],
    );
    expect(events.map((event) => event.to_status)).toEqual(['queued', ...steps]);
    expect(events.map((event) => event.from_status)).toEqual([null, 'queued', ...steps.slice(0, -1)]);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, at) => at + 1));
    const [row] = await db.asOwner<{ epoch: number; event_seq: number; completed_at: Date | null }>(
      'SELECT epoch, event_seq, completed_at FROM lowrank.training_jobs WHERE id = $1',
      [job],
    );
    expect(row).toMatchObject({ epoch: 2, event_seq: events.length });
    expect(row?.completed_at).toBeInstanceOf(Date);
  });

  test('the counters of a queue agree with its rows after every kind of move', async () => {
    const person = await addPerson(db);
    const counts = async () =>
      (
        await db.asOwner(
          'SELECT queued, active, waiting, completed, failed, cancelled FROM lowrank.user_queues WHERE user_id = $1',
          [person],
        )
      )[0];
    const ended = { completed: 0, failed: 0, cancelled: 0 };
    const job = await addJob(db, person, { status: 'queued' });
    await addJob(db, person, { status: 'queued' });
    expect(await counts()).toEqual({ queued: 2, active: 0, waiting: 2, ...ended });
    await asUser(person, (tx) => tx.execute(sql`UPDATE lowrank.training_jobs SET held_at = now() WHERE id = ${job}`));
    expect(await counts()).toEqual({ queued: 1, active: 0, waiting: 2, ...ended });
    await asUser(person, (tx) => tx.execute(sql`UPDATE lowrank.training_jobs SET held_at = NULL WHERE id = ${job}`));
    await asScheduler((tx) =>
      tx.execute(sql`UPDATE lowrank.training_jobs SET status = 'initializing', slot = 2 WHERE id = ${job}`),
    );
    expect(await counts()).toEqual({ queued: 1, active: 1, waiting: 1, ...ended });
    await asScheduler((tx) => tx.execute(sql`UPDATE lowrank.training_jobs SET status = 'cancelled' WHERE id = ${job}`));
    expect(await counts()).toEqual({ queued: 1, active: 0, waiting: 1, ...ended, cancelled: 1 });
    await addJob(db, person, { status: 'completed' });
    const failed = await addJob(db, person, { status: 'failed' });
    expect(await counts()).toEqual({ queued: 1, active: 0, waiting: 1, completed: 1, failed: 1, cancelled: 1 });
    await db.asOwner('DELETE FROM lowrank.training_jobs WHERE id = $1', [failed]);
    expect(await counts()).toEqual({ queued: 1, active: 0, waiting: 1, completed: 1, failed: 0, cancelled: 1 });
    expect(
      await messageOf(
        asUser(person, (tx) => tx.execute(sql`UPDATE lowrank.user_queues SET active = 0`)).then((r) => {
          if (r.rowCount === 0) throw new Error('no row was reached');
        }),
      ),
    ).toMatch(/no row was reached|permission denied/);
  });

  test("a job on another person's dataset is refused by the key itself", async () => {
    const other = await addPerson(db);
    const [dataset] = await db.asOwner<{ id: string }>(
      'SELECT dataset_id AS id FROM lowrank.training_jobs WHERE user_id = $1 LIMIT 1',
      [owner],
    );
    expect(await messageOf(addJob(db, other, { status: 'queued', dataset_id: dataset?.id ?? randomUUID() }))).toMatch(
      /training_jobs_dataset_fk/,
    );
  });

  test("no event can be written by a user's own statement", async () => {
    const job = await addJob(db, owner, { status: 'queued' });
    expect(
      await messageOf(
        asUser(owner, (tx) =>
          tx.execute(
            sql`INSERT INTO lowrank.job_events (job_id, user_id, seq, type, attempt) VALUES (${job}, ${owner}, 99, 'state', 0)`,
          ),
        ),
      ),
    ).toMatch(/row-level security/);
  });
});
