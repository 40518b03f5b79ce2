import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// A promised deadline divided by 20 can be missed by a machine that others load: there, and for nothing else, a shared one tries again.
const retry = { count: process.env.CI === 'true' ? 2 : 0, condition: /^the promised time and its margin/ };

// Nothing that a test writes may end up in somebody's own installation.
const env = {
  LOWRANK_DATA_DIR: join(tmpdir(), `lowrank-test-data-${process.pid}`),
  LOG_LEVEL: 'silent',
  // Webhooks of tests go to servers of their own.
  OUTBOUND_TRUSTED_HOSTS: '127.0.0.1',
};

const setupFiles = ['test/property-seed.ts'];

/** These assert the promised deadlines, divided by 20, and must have the machine to themselves. */
const DEADLINES = ['src/worker/promises-*.test.ts', 'src/worker/{lost-notifications,pause,runs-on-s3,worker}.test.ts'];

/** These start containers of a dockerd of their own. */
const CONTAINERS = ['src/worker/executors/docker/docker-*.test.ts', 'test/image/*.test.ts'];

// Domain tests need nothing; the others share one PostgreSQL that the global set-up starts and a template database. One group runs
// after the other.
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    env,
    projects: [
      {
        test: {
          name: 'domain',
          env,
          setupFiles,
          include: ['src/domain/**/*.test.ts', 'src/hooks/**/*.test.ts', 'src/components/**/*.test.ts'],
          isolate: false,
        },
      },
      {
        test: {
          name: 'house',
          env,
          setupFiles,
          include: [
            'src/contract/**/*.test.ts',
            'src/cli/**/*.test.ts',
            'scripts/**/*.test.ts',
            'bench/**/*.test.ts',
            'test/model-shapes.test.ts',
            'test/walls.test.ts',
            'test/documents.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'database',
          env,
          setupFiles,
          include: ['src/(db|storage|services|http)/**/*.test.ts'],
          globalSetup: ['test/database-server.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      // The oldest server that DATABASE_URL may name: what the database itself keeps, it keeps there, too.
      {
        test: {
          name: 'database-15',
          env,
          setupFiles,
          include: ['src/db/(rules|tenancy|tenancy-references|shape).test.ts', 'src/services/jobs/claim-job.test.ts'],
          globalSetup: ['test/database-server-15.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      // A Supabase project as DATABASE_URL: its roles, schemas and default privileges on a plain server.
      {
        test: {
          name: 'supabase',
          env,
          setupFiles,
          include: ['src/db/(rules|tenancy|tenancy-references|shape).test.ts', 'test/supabase/*.test.ts'],
          globalSetup: ['test/supabase/server.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'supabase-15',
          env,
          setupFiles,
          include: ['src/db/tenancy.test.ts', 'test/supabase/*.test.ts'],
          globalSetup: ['test/supabase/server-15.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'worker',
          env,
          setupFiles,
          include: ['src/worker/**/*.test.ts'],
          exclude: [...DEADLINES, ...CONTAINERS],
          globalSetup: ['test/database-server.ts'],
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      // One dockerd for all of them, which they kill and bring back.
      {
        test: {
          name: 'docker',
          env,
          include: CONTAINERS,
          globalSetup: ['test/database-server.ts', 'test/docker-server.ts'],
          testTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 5 },
        },
      },
      {
        test: {
          name: 'deadlines',
          env,
          setupFiles,
          retry,
          include: DEADLINES,
          globalSetup: ['test/database-server.ts'],
          testTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'end-to-end',
          env,
          setupFiles,
          include: ['test/end-to-end/**/*.test.ts'],
          globalSetup: ['test/database-server.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
