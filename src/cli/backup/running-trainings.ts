import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const Identity = z.object({ pid: z.int(), start: z.int() });
const Started = z.object({ boot_id: z.string(), wrapper: Identity, child: Identity });

/** Whether exactly this process lives: its number alone is given out again. */
async function lives({ pid, start }: z.infer<typeof Identity>): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[19]) === start && fields[0] !== 'Z';
}

/** Ids of jobs whose run still works in its folder: trainings go on when the studio ends. */
export async function runningTrainings(runs_folder: string): Promise<string[]> {
  const boot_id = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
  const found: string[] = [];
  const names = (folder: string) => readdir(folder).catch(() => []);
  for (const job_id of await names(runs_folder)) {
    for (const attempt of await names(join(runs_folder, job_id))) {
      const text = await readFile(join(runs_folder, job_id, attempt, 'started.json'), 'utf8').catch(() => null);
      if (text === null) continue;
      const started = Started.safeParse(JSON.parse(text));
      if (!started.success || started.data.boot_id !== boot_id) continue;
      if ((await lives(started.data.wrapper)) || (await lives(started.data.child))) found.push(job_id);
    }
  }
  return found;
}
