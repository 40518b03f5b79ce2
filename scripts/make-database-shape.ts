// Writes src/db/migrations/shape.json: what the migrations make, by which the doctor judges a database. Run it after each migration.
import { writeFile } from 'node:fs/promises';
import pg from 'pg';
import { startTestServer } from '#/db/embedded/start-test-server.ts';
import { makePasswords, migrate } from '#/db/migrate.ts';
import { readShape, SHAPE_FILE } from '#/db/shape.ts';

const server = await startTestServer();
try {
  await migrate(server.url, makePasswords());
  const client = new pg.Client({ connectionString: server.superuser_url });
  await client.connect();
  const items = await readShape(client);
  await client.end();
  await writeFile(SHAPE_FILE, `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]\n`);
} finally {
  await server.remove();
}
