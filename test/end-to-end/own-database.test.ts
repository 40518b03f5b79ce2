/** A studio on a database of one's own (DATABASE_URL), of the oldest version that may be: it is brought up to date, used and left alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startTestServer } from '#/db/embedded/start-test-server.ts';
import { POSTGRES_15_BIN } from '../postgres-15.ts';
import { becomeOwner, lowrank, signIn } from './command-line.ts';
import { REPO, startStudio } from './studio.ts';

test('a studio on a PostgreSQL 15 of one’s own trains there, starts there again, and Ctrl-C leaves the server alone', async () => {
  const work = mkdtempSync(join(tmpdir(), 'lowrank-own-database-'));
  const server = await startTestServer({ bin_dir: POSTGRES_15_BIN });
  const ask = async (text: string) => {
    const client = new pg.Client({ connectionString: server.superuser_url });
    await client.connect();
    return (await client.query<Record<string, unknown>>(text).finally(() => client.end())).rows;
  };
  const variables = {
    DATABASE_URL: server.url,
    LOWRANK_WITHOUT_PAGES: '1',
    LOWRANK_TRAINER: join(REPO, 'trainer/fake_trainer.py'),
  };
  try {
    const studio = await startStudio(undefined, variables);
    try {
      await becomeOwner(studio);
      const { code, said } = await lowrank(studio, [
        ...['train', '--dataset', join(REPO, 'demo/orders.jsonl'), '--model', join(REPO, 'demo/model')],
        ...['--preset', 'fast', '--set', 'max_steps=12', '--follow', '--output', join(work, 'adapter')],
      ]);
      expect(code, said).toBe(0);
      expect(await ask('SHOW server_version_num')).toEqual([{ server_version_num: expect.stringMatching(/^15/) }]);
      const ends = await ask('SELECT status, attempt, current_step FROM lowrank.training_jobs');
      expect(ends).toEqual([{ status: 'completed', attempt: 1, current_step: 12 }]);
      // Web, worker, sign-in and the sender of webhooks came as themselves; the owner's login only migrates.
      const logins = await ask(
        "SELECT DISTINCT usename AS name FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE 'lowrank\\_%' ORDER BY 1",
      );
      expect(logins.map(({ name }) => name)).toEqual([
        'lowrank_delivery',
        'lowrank_identity',
        'lowrank_scheduler',
        'lowrank_web',
      ]);
      await studio.stop();
      const [{ n } = { n: 1 }] = await ask("SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename LIKE 'lowrank\\_%'");
      expect(n, 'connections that are left').toBe(0);
      const again = await startStudio(studio.data_dir, variables);
      expect(again.setup_token, 'it has its owner already').toBe('');
      expect(await signIn(again)).toBe(200);
      await again.stop();
    } finally {
      await studio.remove();
    }
    expect(await ask('SELECT count(*)::int AS n FROM lowrank.model_artifacts')).toEqual([{ n: 1 }]);
  } finally {
    await server.remove();
    rmSync(work, { recursive: true, force: true });
  }
});
