import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { MetricPoint } from '#/contract/job-reads.ts';
import type { TrainingJob } from '#/contract/jobs.ts';
import { isTerminal } from '#/domain/statuses.ts';
import type { ApiClient } from './api-client.ts';
import { CommandError } from './command-error.ts';
import { openProgressLine } from './progress-bar.ts';

const RECONNECT_MS = 1_000;
const RECONNECTS_MAX = 120;

const STAGES: Record<string, string> = {
  starting: 'starting',
  loading_model: 'loading model',
  preparing_data: 'preparing data',
  training: 'training',
  evaluating: 'evaluating',
  saving: 'saving',
  exporting: 'exporting',
  verifying: 'verifying',
  publishing: 'publishing',
};

/** The body as it arrives. (The DOM's type of a stream does not know that it can be iterated.) */
function bytesOf(response: Response): AsyncIterable<Uint8Array> {
  return (response.body ?? new Blob([]).stream()) as unknown as AsyncIterable<Uint8Array>;
}

/** What is left, in seconds, when the worker has said by when it will be done. */
function secondsLeft(job: TrainingJob): number | null {
  return job.estimated_completion_at === null ? null : Math.max(0, (Date.parse(job.estimated_completion_at) - Date.now()) / 1000);
}

/**
 * Follows a job's live stream with a progress bar until it ends, across reconnects (`Last-Event-ID`), and answers the
 * job as it ended. Every point is seen once. Throws when the studio stays away or the job can no longer be seen.
 */
export async function followJob(
  client: ApiClient,
  job_id: string,
  onPoint: (point: MetricPoint) => void = () => undefined,
): Promise<TrainingJob> {
  const line = openProgressLine();
  let last_id: string | undefined;
  let job: TrainingJob | undefined;
  let loss: number | null = null;
  let failures = 0;
  try {
    for (;;) {
      const ending = new AbortController();
      try {
        const response = await client.open(
          `/api/jobs/${job_id}/stream`,
          last_id === undefined ? {} : { 'Last-Event-ID': last_id },
          ending.signal,
        );
        let gone = false;
        const parser = createParser({
          onEvent(message: EventSourceMessage) {
            failures = 0;
            if (message.id !== undefined) last_id = message.id;
            if (message.event === 'job') job = JSON.parse(message.data) as TrainingJob;
            else if (message.event === 'metrics') {
              for (const point of (JSON.parse(message.data) as { points: MetricPoint[] }).points) {
                loss = point.loss ?? loss;
                onPoint(point);
              }
            } else if (message.event === 'gone') gone = true;
            if (job !== undefined) show(job, loss, false);
          },
        });
        const decoder = new TextDecoder();
        for await (const chunk of bytesOf(response)) {
          parser.feed(decoder.decode(chunk, { stream: true }));
          if (gone) throw new CommandError('This job can no longer be seen: it was deleted, or the key was revoked');
          if (job !== undefined && isTerminal(job.status)) return job;
        }
      } catch (error) {
        if (error instanceof CommandError && (job === undefined || failures >= RECONNECTS_MAX)) throw error;
        if (error instanceof CommandError && error.message.startsWith('This job can no longer')) throw error;
      } finally {
        ending.abort();
      }
      failures++;
      if (failures > RECONNECTS_MAX)
        throw new CommandError(`The studio at ${client.url} does not answer any more; the training goes on without us`);
      if (job !== undefined) show(job, loss, true);
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  } finally {
    line.end();
  }

  function show(seen: TrainingJob, seen_loss: number | null, is_away: boolean): void {
    const stage = seen.status === 'queued' ? 'waiting' : (STAGES[seen.current_stage ?? ''] ?? seen.status);
    line.show({
      stage: is_away
        ? 'no answer, asking again'
        : seen.cancel_requested_at !== null && !isTerminal(seen.status)
          ? 'cancelling'
          : stage,
      done: seen.current_step,
      total: seen.total_steps,
      count: `step ${seen.current_step}/${seen.total_steps}`,
      ...(seen_loss !== null && { note: `loss ${seen_loss.toFixed(3)}` }),
      eta_s: seen.status === 'running' && !is_away ? secondsLeft(seen) : null,
    });
  }
}
