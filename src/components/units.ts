/** Figures as people read them, each with its unit. */

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 12345 → `12,345`. */
export function formatCount(value: number): string {
  return counts.format(value);
}

/** 1 row, 2 rows: the word in the number that the count asks for. */
export function formatOf(value: number, one: string, many = `${one}s`): string {
  return `${counts.format(value)} ${value === 1 ? one : many}`;
}

/** Milliseconds as the two units that matter: `38 s`, `4 min 12 s`, `1 h 03 min`, `2 days 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${formatOf(Math.floor(hours / 24), 'day')} ${hours % 24} h`;
}

/** How long ago or ahead of `now` (epoch ms), in one unit. */
export function formatRelative(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000);
  const far = Math.abs(seconds);
  if (far < 10) return 'just now';
  const minutes = Math.round(far / 60);
  const hours = Math.round(far / 3600);
  const told =
    far < 60
      ? `${far} s`
      : minutes < 60
        ? `${minutes} min`
        : hours < 24
          ? `${hours} h`
          : formatOf(Math.round(far / 86_400), 'day');
  return seconds < 0 ? `${told} ago` : `in ${told}`;
}

const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

/** The instant itself, in the reader's own time zone. */
export function formatExact(at: number): string {
  return exact.format(at);
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** The time of day, `14:03:09`, in the reader's own time zone. */
export function formatClock(at: number): string {
  return clock.format(at);
}

/** A loss or another measured figure: four significant digits, never more than needed to tell two apart. */
export function formatFigure(value: number): string {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2).replace('e+', 'e');
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
}

/** 0.5 → `50 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}
