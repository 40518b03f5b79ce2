const MANTISSAS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9]];

/** Round values between `min` and `max` (both above 0) for a logarithmic axis: at least `wanted`, also within one decade. */
export function logSplits(min: number, max: number, wanted = 4): number[] {
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  for (const mantissas of MANTISSAS) {
    const found: number[] = [];
    for (let decade = from; decade <= to; decade += 1) {
      for (const mantissa of mantissas) {
        const value = Number((mantissa * 10 ** decade).toPrecision(3));
        if (value >= min && value <= max) found.push(value);
      }
    }
    if (found.length >= wanted) return found;
  }
  return evenMarks(min, max, wanted);
}

/** Within a narrow range a logarithmic axis is nearly an even one: round, equal steps. */
function evenMarks(min: number, max: number, wanted: number): number[] {
  const rough = (max - min) / wanted;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * ([5, 2, 1].find((one) => one * decade <= rough) ?? 1);
  const marks: number[] = [];
  for (let at = Math.ceil(min / step); at * step <= max; at += 1) marks.push(Number((at * step).toPrecision(6)));
  return marks;
}
