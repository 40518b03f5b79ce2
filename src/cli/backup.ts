import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { env } from '#/env.ts';
import { s3Options } from '#/storage/s3/s3-options.ts';
import { restoreBackup } from './backup/restore-backup.ts';
import { writeBackup } from './backup/write-backup.ts';
import { CommandError } from './command-error.ts';
import { claimStudio, runningStudio } from './one-studio.ts';
import { openProgressLine } from './progress-bar.ts';

const REDRAW_MS = 100;

/** One line that follows the bytes. */
function followBytes(stage: string): { onBytes: (done: number, of: number) => void; end: () => void } {
  const line = openProgressLine();
  let last = 0;
  return {
    onBytes(done, of) {
      const now = performance.now();
      if (done < of && now - last < REDRAW_MS) return;
      last = now;
      line.show({ stage, done, total: of, count: `${(done / 1e6).toFixed(0)} of ${(of / 1e6).toFixed(0)} MB` });
    },
    end: () => line.end(),
  };
}

const ELSEWHERE = `The database of DATABASE_URL is not in it. Dump it beside the backup, as a superuser of that server (row-level security hides rows from everybody else), with its password in ~/.pgpass:
  pg_dump --format=custom --file=lowrank.dump --host=HOST --username=SUPERUSER DATABASE`;

const BUCKETS = (buckets: string[]) =>
  `What lies in the buckets ${buckets.join(' and ')} is not in it: copy them beside the backup, or keep their versions, by the server's own means.`;

/** `lowrank backup FILE`: everything of a stopped installation in one file. */
export async function backupCommand(file: string): Promise<void> {
  const studio = runningStudio();
  if (studio !== null) {
    throw new CommandError(`The studio runs (${studio.url}, process ${studio.pid}): end it with Ctrl-C there, then back up.`, 3);
  }
  const database_elsewhere = env.DATABASE_URL !== undefined;
  const { version } = JSON.parse(await readFile(join(env.repo, 'package.json'), 'utf8')) as { version: string };
  const progress = followBytes('Backing up');
  const release = await claimStudio('a backup that is being written').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new CommandError(`There is no data directory ${env.data_dir}, so there is nothing to back up.`);
  });
  try {
    const { data_dir, LOWRANK_DATABASE_ACCOUNT: account } = env;
    const report = await writeBackup({
      file,
      data_dir,
      account,
      database_elsewhere,
      lowrank: version,
      onBytes: progress.onBytes,
    });
    progress.end();
    console.log(
      `${file}: ${report.files} files, ${(report.bytes / 1e6).toFixed(1)} MB. It holds passwords and keys: keep it where only you can read it.`,
    );
    if (report.left_out.length > 0) console.log(`Left out, as they are no plain files:\n  ${report.left_out.join('\n  ')}`);
    if (database_elsewhere) console.log(ELSEWHERE);
    else if (!report.database) console.log('There was no database yet.');
    const s3 = s3Options();
    if (s3 !== null) console.log(BUCKETS([...new Set([s3.datasets_bucket, s3.models_bucket])]));
  } finally {
    progress.end();
    await release();
  }
}

/** `lowrank restore FILE`: a backup brought back into an empty data directory. */
export async function restoreCommand(file: string): Promise<void> {
  const progress = followBytes('Restoring');
  const { data_dir, LOWRANK_DATABASE_ACCOUNT: account } = env;
  try {
    const header = await restoreBackup({
      file,
      data_dir,
      account,
      database_elsewhere: env.DATABASE_URL !== undefined,
      onBytes: progress.onBytes,
    });
    progress.end();
    console.log(`The backup of ${header.made_at} is in ${data_dir}, every file checked. Start it: npm start`);
  } finally {
    progress.end();
  }
}
