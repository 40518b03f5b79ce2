// One line a step: redrawn with a running clock on a terminal, plain lines with a word every half minute elsewhere.
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const REDRAW_MS = 120;
const PLAIN_EVERY_MS = 30_000;

/** @param {number} ms */
function seconds(ms) {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/**
 * Cuts `text` to what a terminal line of `columns` holds.
 * @param {string} text @param {number} columns
 */
export function cutTo(text, columns) {
  return text.length < columns ? text : `${text.slice(0, Math.max(0, columns - 2))}…`;
}

/**
 * Runs one step and tells how it goes. `detail` may be called with what is happening inside.
 * @template T
 * @param {string} title
 * @param {(detail: (word: string) => void) => Promise<T>} work
 * @param {NodeJS.WriteStream} [out]
 * @returns {Promise<T>}
 */
export async function step(title, work, out = process.stderr) {
  const began = performance.now();
  const live = out.isTTY === true;
  let word = '';
  let frame = 0;
  const draw = () => {
    const line = `${FRAMES[frame++ % FRAMES.length]} ${title}  ${seconds(performance.now() - began)}${word === '' ? '' : `  ${word}`}`;
    out.write(`\r\x1b[2K${cutTo(line, out.columns || 80)}`);
  };
  const tell = () =>
    out.write(`  ${title}: still at it after ${seconds(performance.now() - began)}${word === '' ? '' : ` (${word})`}\n`);
  if (!live) out.write(`- ${title}\n`);
  const timer = setInterval(live ? draw : tell, live ? REDRAW_MS : PLAIN_EVERY_MS);
  const close = (/** @type {string} */ mark) => {
    clearInterval(timer);
    out.write(`${live ? '\r\x1b[2K' : ''}${mark} ${title}  ${seconds(performance.now() - began)}\n`);
  };
  try {
    const result = await work((next) => {
      // A line that says nothing about progress leaves the last word standing.
      if (next !== '') word = cutTo(next.replace(/\s+/g, ' ').trim(), 70);
    });
    close(live ? '✓' : '  done:');
    return result;
  } catch (error) {
    close(live ? '✗' : '  failed:');
    throw error;
  }
}
