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

/** Share of the tokens that the loss is taken on, over the whole dataset; 1 where that was not counted. */
export function trainedShare(statistics: Record<string, unknown>): number {
  const counted = z.object({ trained_tokens: z.int().min(0), tokens: z.object({ total: z.int().min(1) }) }).safeParse(statistics);
  return counted.success ? Math.min(1, counted.data.trained_tokens / counted.data.tokens.total) : 1;
}
