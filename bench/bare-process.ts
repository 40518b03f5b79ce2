/** A bare Hono server with one query a request and nothing else: what the product's reads are compared with. Started by reads.ts. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.BENCH_DATABASE_URL, max: 10 });
const app = new Hono();
app.get('/jobs/:id', async (c) => {
  const found = await pool.query('SELECT * FROM lowrank.training_jobs WHERE id = $1', [c.req.param('id')]);
  return c.json(found.rows[0]);
});
app.get('/jobs', async (c) => {
  const found = await pool.query(
    'SELECT * FROM lowrank.training_jobs WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2',
    [c.req.query('user'), Number(c.req.query('limit'))],
  );
  return c.json(found.rows);
});
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`),
);
process.on('SIGTERM', () => {
  server.close();
  void pool.end().then(() => process.exit(0));
});
