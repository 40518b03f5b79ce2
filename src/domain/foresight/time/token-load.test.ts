import { describe, expect, test } from 'vitest';
import { OUR_SWITCHES, type RunShape } from '../run-shape.ts';
import { fullRows, loadOf } from './token-load.ts';

const RUN = { seq_len: 2048, micro_batch: 4, packing: false, switches: { ...OUR_SWITCHES, pads_to: 1 } };
const of = (buckets: [number, number][], max: number, changes: Partial<RunShape> = {}) =>
  loadOf({ max, buckets: buckets.map(([up_to, rows]) => ({ up_to, rows })) }, { ...RUN, ...changes }, 0.5);
/** The same by hand: every length between 64 and 128 once, cut at `limit`. */
function longestByHand(batch: number, limit: number): number {
  const lengths = Array.from({ length: 6400 }, (_, at) => Math.min(64 + at / 100, limit));
  return lengths.reduce((sum, _, at) => sum + lengths[at]! * (((at + 1) / 6400) ** batch - (at / 6400) ** batch), 0);
}

describe('the tokens of a batch', () => {
  test.each([1, 2, 4, 16])('are padded to the longest of its %i rows, as it is to be expected', (micro_batch) => {
    const { tokens, padded } = of([[128, 100]], 128, { micro_batch });
    expect(tokens).toBeCloseTo(96, 6);
    expect(padded).toBeCloseTo(longestByHand(micro_batch, 2048), 1);
  });

  test('are cut where rows are', () => {
    const { tokens, padded } = of([[128, 100]], 128, { seq_len: 100 });
    expect(tokens).toBeCloseTo(longestByHand(1, 100), 1);
    expect(padded).toBeCloseTo(longestByHand(4, 100), 1);
    expect(of([[128, 100]], 128, { seq_len: 50 })).toMatchObject({ tokens: 50, padded: 50 });
  });

  test('are padded the more, the more rows there are and the more their lengths differ', () => {
    const mixed: [number, number][] = [
      [64, 90],
      [2048, 10],
    ];
    const waste = (changes: Partial<RunShape>) => {
      const { tokens, padded } = of(mixed, 2000, changes);
      return padded / tokens;
    };
    expect(waste({ micro_batch: 1 })).toBeCloseTo(1, 6);
    expect(waste({ micro_batch: 8 })).toBeGreaterThan(waste({ micro_batch: 2 }));
    expect(waste({ micro_batch: 8 })).toBeGreaterThan(3);
  });

  test('reach a multiple where rows are padded to one, but never beyond the longest allowed', () => {
    const plain = of([[128, 100]], 128);
    const to64 = of([[128, 100]], 128, { switches: { ...OUR_SWITCHES, pads_to: 64 } });
    expect(to64.padded - plain.padded).toBeCloseTo(31.5, 6);
    expect(of([[2048, 100]], 2048, { switches: OUR_SWITCHES, micro_batch: 64 }).padded).toBe(2048);
  });

  test('fill a pack but for its end, and attention sees a text of it', () => {
    const { tokens, padded, document } = of([[128, 100]], 128, { packing: true });
    expect([tokens, padded]).toEqual([2048 * 0.97, 2048]);
    // Σ length² / Σ length of lengths from 64 to 128
    expect(document).toBeCloseTo((128 ** 3 - 64 ** 3) / 3 / 64 / 96, 6);
  });

  test('of rows that are all as long as can be are that many', () => {
    expect(fullRows({ seq_len: 512, trained_share: 1 })).toEqual({ tokens: 512, padded: 512, document: 512, trained_share: 1 });
  });
});
