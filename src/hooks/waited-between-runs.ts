/** What a job's history tells of its status. */
interface Moved {
  to_status: string | null;
  created_at: string;
}

/**
 * Time (ms) between `from` and `to` (epoch ms) that a job was queued: paused, or waiting for its next attempt. `history`: its
 * events, oldest first.
 */
export function waitedBetweenRuns(history: readonly Moved[], from: number, to: number): number {
  let waited = 0;
  let since: number | null = null;
  for (const { to_status, created_at } of history) {
    if (to_status === null) continue;
    const at = Math.min(Math.max(Date.parse(created_at), from), to);
    if (since !== null) waited += at - since;
    since = to_status === 'queued' ? at : null;
  }
  return since === null ? waited : waited + to - since;
}
