/** Marks of an axis with as many digits as tell them apart, the same for all: 1, 1.5, 2 → `1.0`, `1.5`, `2.0`. */
export function formatMarks(marks: readonly (number | null)[]): string[] {
  const shown = marks.filter((mark) => mark !== null);
  const largest = Math.max(...shown.map(Math.abs), 0);
  if (largest >= 1e5 || (largest > 0 && largest < 1e-3))
    return marks.map((mark) => (mark === null ? '' : mark.toExponential(1).replace('e+', 'e')));
  const digits = Math.max(0, ...shown.map((mark) => (String(Number(mark.toPrecision(4))).split('.')[1] ?? '').length));
  return marks.map((mark) => (mark === null ? '' : mark.toFixed(Math.min(digits, 4))));
}
