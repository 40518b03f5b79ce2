import type { Context as HonoContext } from 'hono';
import { streamSSE } from 'hono/streaming';
import { AppError } from '#/domain/app-error.ts';
import { followJobEvents } from '#/services/jobs/follow-job-events.ts';
import { readCursor, START, writeCursor } from '#/services/jobs/job-cursor.ts';
import type { ApiEnv } from './api-env.ts';
import { stillValid } from './authenticate.ts';
import { presentWizardJob } from './job-door-c.ts';
import { presentJob, presentPoint } from './job-presenter.ts';
import { LIVE_STREAMS } from './places.ts';

/** Proxies cut what is silent for long. */
const PING_MS = 15_000;
/** How long a stream may outlive its key or session. */
const PROVE_AGAIN_MS = 10_000;

/** Live streams of this process, so that a shutdown can end them: their clients come back with their cursor. */
const open = new Set<AbortController>();

/** Ends every live stream; clients reconnect by themselves. */
export function closeStreams(): void {
  for (const stream of open) stream.abort();
}

/** What has been written for one viewer, by the row or points that it was made of: those who look together share them. */
const texts = { plain: new WeakMap<object, string>(), wizard: new WeakMap<object, string>() };

function textOf<T extends object>(told: T, present: (told: T) => unknown, words: keyof typeof texts = 'plain'): string {
  const text = texts[words].get(told) ?? JSON.stringify(present(told));
  texts[words].set(told, text);
  return text;
}

/**
 * Answers a job's live stream. The first look happens before any byte, so that a stranger's job is a plain 404; each
 * event's id is a cursor, so a reconnect with Last-Event-ID sees every point once.
 */
export async function streamJob(c: HonoContext<ApiEnv>, job_id: string, last_event_id: string | undefined): Promise<Response> {
  const cursor = last_event_id === undefined ? START : readCursor(last_event_id);
  if (cursor === null) {
    const message = 'is not an id that this stream has sent: connect without it';
    throw new AppError('invalid_request', `Last-Event-ID ${message}`, [
      { path: 'last-event-id', message, code: 'invalid_cursor' },
    ]);
  }
  const ending = new AbortController();
  const credential = c.var.credential;
  const leave = LIVE_STREAMS.hold(c.var.ctx.user_id);
  const events = followJobEvents(c.var.ctx, job_id, cursor, ending.signal);
  const first = await events.next().catch((error: unknown) => {
    leave();
    throw error;
  });
  c.header('Cache-Control', 'no-store');
  c.header('X-Accel-Buffering', 'no');
  return streamSSE(c, async (stream) => {
    open.add(ending);
    stream.onAbort(() => ending.abort());
    let written = performance.now();
    let proved = performance.now();
    try {
      // Clients that lost a whole server come back spread over a few seconds.
      await stream.writeSSE({ event: 'hello', data: '{}', retry: 2_000 + Math.floor(Math.random() * 3_000) });
      for (let next = first; !next.done; next = await events.next()) {
        if (performance.now() - proved > PROVE_AGAIN_MS) {
          if (!(await stillValid(credential))) {
            await stream.writeSSE({ event: 'gone', data: '{"reason":"signed_out"}' });
            return;
          }
          proved = performance.now();
        }
        const event = next.value;
        const id = writeCursor(event.cursor);
        if (event.type === 'idle') {
          if (performance.now() - written < PING_MS) continue;
          await stream.write(': ping\n\n');
        } else if (event.type === 'job') {
          await stream.writeSSE({
            event: 'job',
            id,
            data: c.var.wizard ? textOf(event.job, presentWizardJob, 'wizard') : textOf(event.job, presentJob),
          });
        } else if (event.type === 'metrics') {
          const data = textOf(event.points, (points) => ({ points: points.map(presentPoint) }));
          await stream.writeSSE({ event: 'metrics', id, data });
        } else {
          const { type, cursor: _, ...data } = event;
          await stream.writeSSE({ event: type, id, data: JSON.stringify(data) });
        }
        written = performance.now();
      }
    } finally {
      open.delete(ending);
      leave();
      ending.abort();
      await events.return(undefined);
    }
  });
}
