import { addIds, openBenchDatabase, seedJobs, seedPeople } from './database.ts';
import { ms, printFigures, quantile } from './figures.ts';
import { load } from './load.ts';
import { addKeys, bearer } from './people.ts';
import { startWeb } from './web.ts';

const ROWS = 1_000_000;
const ASKED = 400;
/** One person may read 600 times a minute. */
const MINUTE_MS = 60_000;

/** Listing one's own jobs where one person has a million. */
export async function benchListing(): Promise<void> {
  const database = await openBenchDatabase();
  const web = await startWeb(database);
  try {
    await addIds(database);
    await seedPeople(database, 2);
    for (let rows = 0; rows < ROWS; rows += ROWS / 10) await seedJobs(database, 1, 1, ROWS / 10);
    await seedJobs(database, 2, 2, 50);
    await database.run('VACUUM ANALYZE');
    const [key] = await addKeys(database, 2);
    const headers = bearer(key);
    const page = async (query: string) => {
      const response = await fetch(`${web.url}/api/jobs?${query}`, { headers });
      if (response.status !== 200) throw new Error(await response.text());
      return (await response.json()) as { data: { pagination: { total: number; next_cursor: string } } };
    };
    let deep = (await page('limit=50')).data.pagination.next_cursor;
    const { total } = (await page('limit=50')).data.pagination;
    for (let turn = 0; turn < 20; turn++)
      deep = (await page(`limit=500&after=${encodeURIComponent(deep)}`)).data.pagination.next_cursor;
    const queries = {
      'first page of 50': 'limit=50',
      'page of 50 by a cursor, 10,000 rows in': `limit=50&after=${encodeURIComponent(deep)}`,
      'page 200 of 50 by number': 'limit=50&page=200',
      'status=queued, first page': 'limit=50&status=queued',
      'status=failed, of which there is none': 'limit=50&status=failed',
    };
    const figures = [];
    for (const [what, query] of Object.entries(queries)) {
      await new Promise((resolve) => setTimeout(resolve, MINUTE_MS));
      const { times } = await load(ASKED, 4, () => ({ url: `${web.url}/api/jobs?${query}`, headers }));
      figures.push({ what, value: `p50 ${ms(quantile(times, 0.5))}, p99 ${ms(quantile(times, 0.99))}` });
    }
    printFigures(
      `Listing one's own jobs at ${ROWS.toLocaleString('en')} rows, 4 clients, ${ASKED} requests each (total said: ${total.toLocaleString('en')})`,
      figures,
    );
  } finally {
    await web.stop();
    await database.close();
  }
}
