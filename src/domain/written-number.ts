/** A setting as a person writes it, the same in forms, messages and documents: 0.00005 → `5e-5`, 0.01 → `1e-2`, 0.1 → `0.1`. */
export function written(value: number): string {
  return value !== 0 && Math.abs(value) <= 1e-2 ? value.toExponential().replace('e+', 'e') : String(value);
}
