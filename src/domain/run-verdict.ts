/** What became of a run, judged from its exit record, its trainer's last words and the end of its log. */
import type { JobErrorCode, JobFailure } from './job-state.ts';
import type { RunExit } from './run-exit.ts';
import { shortenPaths } from './shorten-paths.ts';
import type { TrainerErrorCode } from './trainer-events.ts';

export interface RunEvidence {
  /** Null when the run was lost: gone without a record. */
  exit: RunExit | null;
  /** Why it counts as lost. */
  lost_reason: string | null;
  cancel_requested: boolean;
  /** The trainer's `done` line was read. */
  done: boolean;
  /** The trainer's `error` line, when it wrote one. */
  error: { code: TrainerErrorCode; message: string; hint: string; traceback: string | null } | null;
  /** The end of the run's log. */
  log_tail: string;
}

export type Verdict =
  | { type: 'done' }
  | { type: 'cancelled' }
  /** Its user wished it to stop, and it did: it goes on from its last checkpoint when they say so. */
  | { type: 'paused' }
  /** The run's own fault: the job is over. */
  | { type: 'failed'; failure: JobFailure }
  /** A fault of ours: the job may start again; `failure` is what it ends with when it may not. */
  | { type: 'lost'; failure: JobFailure };

const STACK_LINES_MAX = 200;
const STACK_CHARACTERS_MAX = 16_000;

const HINTS: Record<JobErrorCode, string> = {
  bad_config: 'Change the setting that the message names and start again.',
  data: 'Correct the dataset, upload it again and start again.',
  model_not_found: 'Check that the base model is still where it was registered.',
  gated_model: 'Ask for access to the base model on its page, then fetch it again.',
  out_of_memory: 'Halve the batch size, shorten the sequences or lower the rank, and start again.',
  nan_loss: 'Lower the learning rate, for example to a third, and look at the rows around that step.',
  disk_full: 'Free space on the disk of this installation and start again; the last good checkpoint was kept.',
  interrupted: 'Start again: the last good checkpoint was kept.',
  internal: 'Look at the end of the log; start again with the same settings to see if it repeats.',
  dataset_missing: 'Upload the dataset once more and start again with it.',
  dataset_changed: 'Upload the dataset once more and start again with it.',
  killed: 'Find out who or what ended the process (a person, the system); start again.',
  hang: 'Look at the end of the log for what it waited for, and start again.',
  gpu_lost: 'Look at the GPU with nvidia-smi and dmesg; the job starts again when a GPU is free.',
  contact_lost: 'Look at the worker and its host; start again.',
  launch_failed: 'Run `lowrank doctor` on the host of the worker.',
  model_not_fetched: 'See what the message names, then submit again: the fetch goes on where it stopped.',
  runtime_limit: 'Train fewer steps, or raise the runtime limit.',
};

/** Where it is the run's own limit that was too tight. */
const MORE_MEMORY = 'Raise its limit of memory, or halve the batch size, and start again.';
const MORE_DISK =
  'Raise its limit of disk, or have fewer checkpoints written, and start again; the last good checkpoint was kept.';

/** Words of frameworks and of the system that tell a cause which the trainer did not name itself. */
const KNOWN_TEXTS: { pattern: RegExp; code: JobErrorCode; message: string }[] = [
  {
    pattern: /CUDA out of memory|torch\.(cuda\.)?OutOfMemoryError|CUDA error: out of memory|HIP out of memory/,
    code: 'out_of_memory',
    message: 'The memory of the GPU was not enough.',
  },
  {
    pattern: /GPU is lost|fallen off the bus|uncorrectable ECC error|CUDA error: (an illegal instruction|device.*unavailable)/i,
    code: 'gpu_lost',
    message: 'The GPU failed while the training ran.',
  },
  {
    pattern: /^MemoryError\b|Cannot allocate memory|DefaultCPUAllocator: (can't allocate|not enough) memory/m,
    code: 'out_of_memory',
    message: 'The memory of the host was not enough.',
  },
  { pattern: /No space left on device|Disk quota exceeded/, code: 'disk_full', message: 'The disk was full.' },
];

const CODE_OF_EXIT: Record<number, JobErrorCode> = {
  1: 'internal',
  2: 'bad_config',
  3: 'data',
  4: 'model_not_found',
  5: 'out_of_memory',
  6: 'nan_loss',
  7: 'disk_full',
  143: 'interrupted',
};

const MESSAGE_OF_EXIT: Record<number, string> = {
  2: 'The trainer refused its configuration.',
  3: 'The trainer could not use the dataset.',
  4: 'The trainer could not load the base model.',
  5: 'The training ran out of memory.',
  6: 'The loss was no number any more.',
  7: 'The disk was full.',
  143: 'The training was interrupted from outside.',
};

/** Judges a run that is over. Every ending has exactly one verdict. */
export function judgeRun(evidence: RunEvidence): Verdict {
  const { exit } = evidence;
  if (evidence.cancel_requested || exit?.stop_requested === 'cancel') return { type: 'cancelled' };
  if (exit === null) return lost('contact_lost', `The run was lost: ${evidence.lost_reason ?? 'it left no record'}.`, evidence);
  if (exit.code === 0 && evidence.done) return { type: 'done' };
  if (exit.stop_requested === 'pause' && hasObeyed(exit)) return { type: 'paused' };
  switch (exit.stop_requested) {
    case 'hang':
      return failed('hang', 'The training made no progress for too long and was ended.', evidence);
    case 'runtime_limit':
      return failed('runtime_limit', 'The training ran longer than the runtime limit and was ended.', evidence);
    case 'disk_full':
      return failed('disk_full', 'The disk of this installation was nearly full, so the training was ended.', evidence);
    case 'memory_limit':
      return failed(
        'out_of_memory',
        'The training took more memory of the host than its limit gives it, and was ended.',
        evidence,
        MORE_MEMORY,
      );
    case 'disk_limit':
      return failed('disk_full', 'The training wrote more to disk than its limit gives it, and was ended.', evidence, MORE_DISK);
    case 'gpu_lost':
      return lost('gpu_lost', 'The GPU of this training was lost.', evidence);
    case 'fenced':
      return lost('contact_lost', 'No worker answered for the run any more, so it ended itself.', evidence);
    case 'signal':
      return lost('contact_lost', 'The run was ended from outside, for example by a shutdown of its host.', evidence);
  }
  if (exit.code === 127) return failed('launch_failed', 'The trainer could not be started.', evidence);
  const { error } = evidence;
  if (error !== null && error.code !== 'internal') {
    return {
      type: 'failed',
      failure: { code: error.code, message: error.message, hint: error.hint, stack: stackOf(evidence) },
    };
  }
  const known = KNOWN_TEXTS.find(({ pattern }) => pattern.test(`${error?.traceback ?? ''}\n${evidence.log_tail}`));
  if (known !== undefined && exit.code !== 0) {
    return known.code === 'gpu_lost' ? lost(known.code, known.message, evidence) : failed(known.code, known.message, evidence);
  }
  if (exit.signal === 'SIGKILL' || exit.code === 137) {
    if (exit.oom_kills > 0) return failed('out_of_memory', 'The host ran out of memory and ended the training.', evidence);
    return failed('killed', 'The training was killed from outside.', evidence);
  }
  if (exit.signal !== null) {
    const code = exit.signal === 'SIGTERM' || exit.signal === 'SIGINT' ? 'killed' : 'internal';
    return failed(code, `The training ended by the signal ${exit.signal}.`, evidence);
  }
  if (error !== null) return failed('internal', error.message, evidence, error.hint);
  if (exit.code === 0) return failed('internal', 'The trainer ended without saying that it was done.', evidence);
  const code = CODE_OF_EXIT[exit.code ?? 1] ?? 'internal';
  return failed(code, MESSAGE_OF_EXIT[exit.code ?? 1] ?? `The trainer failed with exit code ${exit.code}.`, evidence);
}

/** It saved itself, or was killed at the end of its grace; whatever else ended it just then was no obedience. */
function hasObeyed({ code, signal, oom_kills }: RunExit): boolean {
  return code === 143 || signal === 'SIGTERM' || (signal === 'SIGKILL' && oom_kills === 0);
}

function failed(code: JobErrorCode, message: string, evidence: RunEvidence, hint: string = HINTS[code]): Verdict {
  return { type: 'failed', failure: { code, message, hint, stack: stackOf(evidence) } };
}

function lost(code: JobErrorCode, message: string, evidence: RunEvidence): Verdict {
  return { type: 'lost', failure: { code, message, hint: HINTS[code], stack: stackOf(evidence) } };
}

/** A failure that has no log: the run never began, or was settled from afar. */
export function bareFailure(code: JobErrorCode, message: string): JobFailure {
  return { code, message, hint: HINTS[code], stack: null };
}

/** The trainer's traceback, or else the last lines of its log, with host paths shortened; null when there is nothing. */
function stackOf(evidence: RunEvidence): string | null {
  const text = evidence.error?.traceback ?? evidence.log_tail;
  const lines = text.trimEnd().split('\n').slice(-STACK_LINES_MAX).join('\n');
  const short = shortenPaths(lines).slice(-STACK_CHARACTERS_MAX);
  return short.trim() === '' ? null : short;
}
