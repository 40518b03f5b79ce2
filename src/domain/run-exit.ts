/** How a run ended, as the one who owned its process tells it. */
export interface RunExit {
  code: number | null;
  signal: string | null;
  /** Why the run was asked to end; `signal` when somebody outside asked its owner. */
  stop_requested: string | null;
  /** It ended itself because no worker answered for it. */
  fenced: boolean;
  orphans_killed: number;
  /** Processes that the kernel killed for memory while it ran. */
  oom_kills: number;
  log_bytes_dropped: number;
  /** From the trainer's start until its whole tree was gone, by its owner's steady clock; null from one that did not measure it. */
  ran_ms: number | null;
}

/** How a user may wish a run to end. */
export type UserWish = 'cancel' | 'pause';

/** Why the worker itself asks a run to end. */
export type StopReason = UserWish | 'hang' | 'runtime_limit' | 'disk_full' | 'gpu_lost';
