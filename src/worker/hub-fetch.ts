import { type FetchLine, type FetchListing, readFetchLine } from '#/domain/hub-fetch.ts';
import type { ImportKind } from '#/domain/transfer-state.ts';
import { env } from '#/env.ts';
import { type PythonEnd, runPythonProgram } from './python-program.ts';

const FETCH_TIMEOUT_MS = 24 * 3_600_000;
/** What unpacking somebody's table may take; the libraries themselves are a tenth of it. */
const FETCH_DATA_BYTES_MAX = 2_000_000_000;
/** What making rows of somebody's files may compute: many times what the largest dataset takes. */
const FETCH_CPU_S_MAX = 10 * 60;

/** What of the Hub cannot be had, for a reason that whoever asked for it is to see. */
export class FetchFailure extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface HubFetch {
  kind: ImportKind;
  hf_repo_id: string;
  /** A branch, a tag or a commit. */
  revision: string;
  /** A folder of ours; what an earlier attempt left there is gone on with. */
  into: string;
  bytes_max: number;
  /** Further arguments. */
  choose?: string[];
  token: string | undefined;
  /** Ends the fetch early. */
  signal: AbortSignal;
  /** Called once the commit and the sizes are known, before the first byte of a file counts; what it throws ends the fetch. */
  onListing: (listing: FetchListing) => Promise<void>;
  /** Bytes that are there, at most once a second. */
  onBytes: (bytes: number) => void;
}

/**
 * Brings a repository's files into a folder. The client is the trainer's Python: huggingface_hub lives there anyway (it reads
 * listings and the Hub's errors, gates among them), its connections go through a guard that judges every address, and a
 * process of its own ends at once with all that it holds, also when the worker is killed. The token goes by environment,
 * never by argument. Answers what was fetched; null only when `signal` ended it. Throws `FetchFailure`.
 */
export async function fetchFromHub(fetch: HubFetch): Promise<FetchListing | null> {
  let last: FetchLine | null = null;
  let listing: FetchListing | null = null;
  let listed: Promise<void> = Promise.resolve();
  const refused = new AbortController();
  const end = await runPythonProgram({
    args: [
      ...['-m', 'lora_trainer.fetch', '--kind', fetch.kind, '--repo', fetch.hf_repo_id, '--revision', fetch.revision],
      ...['--into', fetch.into, '--bytes-max', String(Math.max(0, fetch.bytes_max)), ...(fetch.choose ?? [])],
    ],
    timeout_ms: FETCH_TIMEOUT_MS,
    ...(fetch.kind === 'dataset' && { data_bytes_max: FETCH_DATA_BYTES_MAX, cpu_s_max: FETCH_CPU_S_MAX }),
    signal: AbortSignal.any([fetch.signal, refused.signal]),
    variables: {
      HF_HUB_OFFLINE: '0',
      // What is fetched is what was asked for: the library would ask the Hub about itself, too.
      HF_HUB_DISABLE_TELEMETRY: '1',
      HF_ENDPOINT: env.HF_ENDPOINT,
      ...(fetch.token !== undefined && { HF_TOKEN: fetch.token }),
    },
    onLine: (text) => {
      const line = readFetchLine(text);
      if (line === null) return;
      last = line;
      if (line.type === 'listing') {
        listing = line;
        listed = fetch.onListing(line);
        listed.catch(() => refused.abort());
      } else if (line.type === 'progress') fetch.onBytes(line.bytes);
    },
  });
  await listed;
  return fetch.signal.aborted ? null : judge(last, listing, end);
}

function judge(last: FetchLine | null, listing: FetchListing | null, { code, ended_by }: PythonEnd): FetchListing {
  // Without a listing that can be read nothing was pinned, reserved or named, whatever was fetched.
  if (last?.type === 'done' && code === 0 && listing !== null) return listing;
  if (last?.type === 'error') throw new FetchFailure(last.code, last.message);
  if (ended_by === 'cpu')
    throw new FetchFailure('too_large', 'making rows of its files takes too long: name fewer files, or store them as JSON Lines');
  if (ended_by === 'timeout')
    throw new FetchFailure('hub_unreachable', 'it could not be fetched within a day: ask for it again to go on');
  throw new FetchFailure('internal', 'the fetch ended without a word: see the log of the worker, then ask for it again');
}
