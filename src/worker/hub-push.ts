import { type PushLine, type PushListing, readPushLine } from '#/domain/hub-push.ts';
import { env } from '#/env.ts';
import { FetchFailure } from './hub-fetch.ts';
import { runPythonProgram } from './python-program.ts';

const PUSH_TIMEOUT_MS = 24 * 3_600_000;

/** What `python -m lora_trainer.push` reads: what to send, and where. It holds no secret. */
export interface PushOrder {
  hf_repo_id: string;
  branch: string;
  private: boolean;
  message: string;
  /** `at` is where a file lies, `path` what it is called there. */
  files: { path: string; at: string; bytes: number; sha256: string }[];
}

export interface HubPush {
  /** A file with a `PushOrder`. */
  order_path: string;
  token: string;
  /** Ends the push early. */
  signal: AbortSignal;
  /** Called before the first byte is sent; what it throws ends the push. */
  onListing: (listing: PushListing) => Promise<void>;
  /** Bytes that were sent, at most once a second. */
  onBytes: (bytes: number) => void;
}

/**
 * Brings files to a repository of the Hub as one commit and answers it; null when `signal` ended that. By the trainer's Python,
 * for the same reasons as `fetchFromHub`. Throws `FetchFailure`.
 */
export async function pushToHub(push: HubPush): Promise<string | null> {
  let last: PushLine | null = null;
  let listed: Promise<void> = Promise.resolve();
  const refused = new AbortController();
  const end = await runPythonProgram({
    args: ['-m', 'lora_trainer.push', '--order', push.order_path],
    timeout_ms: PUSH_TIMEOUT_MS,
    signal: AbortSignal.any([push.signal, refused.signal]),
    variables: {
      HF_HUB_OFFLINE: '0',
      HF_HUB_DISABLE_TELEMETRY: '1',
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
      // Its client is one of its own, which knows nothing of our judgement of addresses.
      HF_HUB_DISABLE_XET: '1',
      HF_ENDPOINT: env.HF_ENDPOINT,
      HF_TOKEN: push.token,
    },
    onLine: (text) => {
      const line = readPushLine(text);
      if (line === null) return;
      last = line;
      if (line.type === 'listing') {
        listed = push.onListing(line);
        listed.catch(() => refused.abort());
      } else if (line.type === 'progress') push.onBytes(line.bytes);
    },
  });
  await listed;
  return push.signal.aborted ? null : judge(last, end.code, end.ended_by);
}

function judge(last: PushLine | null, code: number | null, ended_by: string | null): string {
  if (last?.type === 'done' && code === 0) return last.commit;
  if (last?.type === 'error') throw new FetchFailure(last.code, last.message);
  if (ended_by === 'timeout') throw new FetchFailure('hub_unreachable', 'it could not be pushed within a day: push it again');
  throw new FetchFailure('internal', 'the push ended without a word: see the log of the worker, then push it again');
}
