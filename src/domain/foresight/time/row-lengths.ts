/** What a dataset's report says of its rows, as the planner counts with it. */
import * as z from 'zod';

export const RowLengths = z.object({
  max: z.int().min(1),
  /** Rows of more than half of `up_to` tokens and at most `up_to`. */
  buckets: z.array(z.object({ up_to: z.int().min(1), rows: z.int().min(0) })).max(40),
});
export type RowLengths = z.infer<typeof RowLengths>;

/** The lengths that a dataset's report counted; null where no tokenizer was there to count with. */
export function rowLengths(statistics: Record<string, unknown>): RowLengths | null {
  return RowLengths.safeParse(statistics.tokens).data ?? null;
}

/** Bytes of a token where nobody counted: English text in a vocabulary of 32 to 128 thousand. */
export const BYTES_PER_TOKEN = 4;

/**
 * Nine of ten datasets have half to twice as many tokens as their bytes say: code and small vocabularies have 2 bytes a token, rows
 * whose columns are mostly not trained on 8.
 */
export const GUESSED_WITHIN = 2;

/** Lengths by the size of the file alone: half of the rows shorter than a length, half up to twice it, and the mean what bytes say. */
export function guessedLengths({ bytes, rows }: { bytes: number; rows: number }): RowLengths {
  const mean = bytes / BYTES_PER_TOKEN / Math.max(1, rows);
  // Between half of a length and itself, and between it and its double: 1.125 of it on average.
  const up_to = Math.max(1, Math.round(mean / 1.125));
  return {
    max: 2 * up_to,
    buckets: [
      { up_to, rows: 1 },
      { up_to: 2 * up_to, rows: 1 },
    ],
  };
}

/** Share of the tokens that the loss is taken on, over the whole dataset; 1 where that was not counted. */
export function trainedShare(statistics: Record<string, unknown>): number {
  const counted = z.object({ trained_tokens: z.int().min(0), tokens: z.object({ total: z.int().min(1) }) }).safeParse(statistics);
  return counted.success ? Math.min(1, counted.data.trained_tokens / counted.data.tokens.total) : 1;
}
