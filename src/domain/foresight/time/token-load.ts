/** How many tokens the rows of a batch have, on average: what a step takes follows from these, not from the longest row. */
import type { RunShape } from '../run-shape.ts';

export interface TokenLoad {
  /** Of a row, padding aside; with packing, of a pack. */
  tokens: number;
  /** Length that a row is padded to: that of the longest of its micro-batch. */
  padded: number;
  /** Tokens of the text that a token stands in, mean over the tokens: what attention looks over. */
  document: number;
  /** Share of the tokens that the loss is taken on. */
  trained_share: number;
}

/** Rows counted by their tokens, as a dataset's report has them. */
export interface LengthCounts {
  max: number;
  /** Rows of more than half of `up_to` tokens and at most `up_to`. */
  buckets: readonly { up_to: number; rows: number }[];
}

/** Of a pack, first-fit leaves so much of it filled: 0.97 (TRL's and axolotl's packing of short rows). */
const PACK_FILLED = 0.97;

/** The load of rows that are all as long as the run's longest. */
export function fullRows(run: Pick<RunShape, 'seq_len' | 'trained_share'>): TokenLoad {
  const { seq_len, trained_share } = run;
  return { tokens: seq_len, padded: seq_len, document: seq_len, trained_share };
}

/**
 * The load of rows with these lengths, cut at the run's `seq_len`, `micro_batch` of them at random in a batch. Within a bucket rows
 * lie evenly. A row is padded to the longest of its batch: E[max] = ∫ (1 − F(t)^b) dt, F the share of rows of at most t tokens.
 */
export function loadOf(
  lengths: LengthCounts,
  run: Pick<RunShape, 'seq_len' | 'micro_batch' | 'packing' | 'switches'>,
  trained_share: number,
): TokenLoad {
  const pieces = piecesOf(lengths, run.seq_len);
  const tokens = expectedLongest(pieces, 1);
  const document = tokens === 0 ? 0 : secondMoment(pieces) / tokens;
  if (run.packing) return { tokens: run.seq_len * PACK_FILLED, padded: run.seq_len, document, trained_share };
  const { pads_to } = run.switches;
  // A length that is as likely to be any is padded by half a multiple.
  const padded = Math.min(expectedLongest(pieces, run.micro_batch) + (pads_to - 1) / 2, run.seq_len);
  return { tokens, padded: Math.max(padded, tokens), document, trained_share };
}

/** Between two lengths the share of shorter rows grows evenly. */
interface Piece {
  from: number;
  to: number;
  below: number;
  upTo: number;
}

function piecesOf({ max, buckets }: LengthCounts, limit: number): Piece[] {
  const all = buckets.reduce((sum, { rows }) => sum + rows, 0);
  const pieces: Piece[] = [];
  let before = 0;
  let reached = 0;
  for (const { up_to, rows } of buckets.toSorted((a, b) => a.up_to - b.up_to)) {
    const from = Math.max(reached, Math.min(Math.floor(up_to / 2), max));
    const to = Math.max(from, Math.min(up_to, max));
    const share = rows / all;
    if (from > reached) pieces.push({ from: reached, to: from, below: before, upTo: before });
    pieces.push({ from, to, below: before, upTo: before + share });
    before += share;
    reached = to;
  }
  return pieces.filter(({ from }) => from < limit).map((piece) => cut(piece, limit));
}

function cut(piece: Piece, limit: number): Piece {
  if (piece.to <= limit) return piece;
  const { from, to, below, upTo } = piece;
  return { from, to: limit, below, upTo: below + ((upTo - below) * (limit - from)) / (to - from) };
}

/** E[max] of `rows` lengths. */
function expectedLongest(pieces: Piece[], rows: number): number {
  return pieces.reduce((sum, { from, to, below, upTo }) => sum + (to - from) * (1 - meanPower(below, upTo, rows)), 0);
}

/** E[length²] = ∫ 2t (1 − F(t)) dt. */
function secondMoment(pieces: Piece[]): number {
  return pieces.reduce((sum, { from, to, below, upTo }) => {
    const [steep, width] = [upTo - below, to - from];
    const whole = (to ** 2 - from ** 2) * (1 - below);
    return sum + whole - 2 * steep * ((width * from) / 2 + width ** 2 / 3);
  }, 0);
}

/** Mean of F^n where F grows evenly from one share to another. */
function meanPower(below: number, upTo: number, n: number): number {
  if (upTo - below < 1e-12) return below ** n;
  return (upTo ** (n + 1) - below ** (n + 1)) / ((n + 1) * (upTo - below));
}
