/** One line of progress: stage, bar, count, loss, time left. On a terminal it is redrawn, elsewhere it is printed now and then. */
export interface Progress {
  stage: string;
  done: number;
  total: number;
  /** such as `step 12/200` or `31.4 of 500 MB` */
  count: string;
  /** such as `loss 1.234` */
  note?: string;
  eta_s?: number | null;
}

const BAR_CELLS = 24;

/** Seconds as a person says them: `8 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** The line's text, cut to the terminal's width. */
export function renderProgress(progress: Progress, columns: number): string {
  const share = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  const filled = Math.round(share * BAR_CELLS);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled);
  // Where nothing can be counted there is no bar: an empty one would say that nothing happens.
  const counted = progress.total > 0 ? [bar, `${String(Math.floor(share * 100)).padStart(3)} %`] : ['…'];
  const parts = [
    progress.stage.padEnd(16),
    ...counted,
    progress.count,
    progress.note,
    progress.eta_s == null ? undefined : `${formatDuration(progress.eta_s)} left`,
  ];
  return parts
    .filter((part) => part !== undefined && part !== '')
    .join('  ')
    .slice(0, columns - 1);
}

export interface ProgressLine {
  show(progress: Progress): void;
  /** Ends the line, so that what follows starts on its own. */
  end(): void;
  /** Takes the line away: what it said is over and told elsewhere. */
  clear(): void;
}

/** Redraws one line on a terminal; elsewhere prints a line at each new stage and each further tenth. */
export function openProgressLine(out: NodeJS.WriteStream = process.stderr): ProgressLine {
  let drawn = false;
  let told = '';
  return {
    show(progress) {
      if (out.isTTY) {
        out.write(`\r\x1b[2K${renderProgress(progress, out.columns || 100)}`);
        drawn = true;
        return;
      }
      const tenth = progress.total > 0 ? Math.floor((10 * progress.done) / progress.total) : 0;
      const mark = `${progress.stage} ${tenth}`;
      if (mark === told) return;
      told = mark;
      out.write(`${renderProgress(progress, 200)}\n`);
    },
    end() {
      if (drawn) out.write('\n');
      drawn = false;
    },
    clear() {
      if (drawn) out.write('\r\x1b[2K');
      drawn = false;
    },
  };
}
