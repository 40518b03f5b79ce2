import { createHash } from 'node:crypto';
import { addIds, benchId, openBenchDatabase, seedPeople } from './database.ts';
import { ms, printFigures, quantile } from './figures.ts';
import { addKeys, bearer } from './people.ts';
import { startWeb } from './web.ts';

const PEOPLE = 200;
/** A person may submit ten jobs a minute. */
const EACH = 10;
const CLIENTS = 8;

/** Door B's submission over HTTP against the real server: every answer is a committed job. */
export async function benchSubmit(): Promise<void> {
  const database = await openBenchDatabase();
  const web = await startWeb(database);
  try {
    await addIds(database);
    await seedPeople(database, PEOPLE);
    const keys = await addKeys(database, PEOPLE);
    const queue = Array.from({ length: PEOPLE * EACH }, (_, at) => at % PEOPLE);
    const times: number[] = [];
    const began = performance.now();
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        for (let person = queue.pop(); person !== undefined; person = queue.pop()) {
          const body = JSON.stringify({ dataset_id: benchId(2, person + 1), base_model_id: benchId(3, 1), preset_id: 'fast' });
          const before = performance.now();
          const response = await fetch(`${web.url}/api/jobs`, {
            method: 'POST',
            headers: {
              ...bearer(keys[person]),
              'Content-Type': 'application/json',
              'Idempotency-Key': createHash('sha256').update(`${person} ${times.length} ${before}`).digest('hex'),
            },
            body,
          });
          const text = await response.text();
          if (response.status !== 201) throw new Error(`${response.status} ${text}`);
          times.push(performance.now() - before);
        }
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    const [stored] = await database.run('SELECT count(*)::int AS n FROM lowrank.training_jobs');
    printFigures(`Submit: POST /api/jobs over HTTP with Idempotency-Key, ${CLIENTS} clients, ${PEOPLE} people, fsync on`, [
      { what: 'p50', value: ms(quantile(times, 0.5)) },
      { what: 'p99', value: ms(quantile(times, 0.99)) },
      { what: 'submissions a second', value: (times.length / seconds).toFixed(0) },
      { what: 'answered 201 / stored', value: `${times.length} / ${stored?.n}` },
    ]);
  } finally {
    await web.stop();
    await database.close();
  }
}
