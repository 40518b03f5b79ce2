/** What a training step's forward leaves for backward, and how full both get: blocks and head played on tapes. */

import type { DeviceFacts } from '../devices/hardware.ts';
import type { BlockShape, ModelShape } from '../models/model-shape.ts';
import type { RunShape } from '../run-shape.ts';
import { playBlock } from './block-tape.ts';
import { habitsOf } from './family-habits.ts';
import { logitTokens, playHead } from './head-tape.ts';
import { type PlayedRun, playRun } from './played-run.ts';
import { Tape } from './tape.ts';

/** A kind of block, as it is met in the model. */
export interface PlayedBlock {
  block: BlockShape;
  count: number;
  /** Bytes kept from its forward to its backward without checkpointing. */
  kept: number;
  /** Most at once while its backward runs, `kept` among it. */
  backward: number;
  /** Most at once while its forward runs, beyond what was there. */
  forward: number;
  /** Bytes of its input, which a checkpoint holds. */
  input: number;
  /** Bytes of `kept` that stay although the block is checkpointed. */
  escaped: number;
}

export interface PlayedStep {
  /** First to last. The first block of a frozen model stands alone: no gradient goes through its input. */
  blocks: PlayedBlock[];
  head: { kept: number; backward: number; forward: number; logits: number };
}

/** Plays one kind of block. `flows`: its input has a gradient. `meets_tables`: it is the first to keep the tables of positions. */
function played(
  play: (tape: Tape) => PlayedRun,
  block: BlockShape,
  flows: boolean,
  meets_tables: boolean,
): Omit<PlayedBlock, 'count'> {
  const tape = new Tape();
  const run = play(tape);
  const input = tape.tensor(run.tokens * run.model.hidden, run.stream_width, flows);
  // A checkpoint holds the block's input whatever the block itself keeps.
  input.storage.own = run.run.gradient_checkpointing;
  if (!meets_tables) {
    run.shared.cos = tape.weight(1, run.stream_width, false);
    run.shared.sin = tape.weight(1, run.stream_width, false);
  }
  const output = playBlock(run, block, input);
  const { kept, escaped } = tape;
  return { block, kept, escaped, forward: tape.forward(), backward: tape.backward(output), input: input.storage.bytes };
}

/** Plays the blocks and the head of one micro-batch. */
export function playStep(model: ModelShape, run: RunShape, device: Pick<DeviceFacts, 'kind'>): PlayedStep {
  const play = (tape: Tape) => playRun(tape, model, run, device);
  const full = run.method === 'full';
  const { rotary_by_window = false } = habitsOf(model.family);
  const blocks = model.blocks.flatMap((block, at): PlayedBlock[] => {
    const alone = { ...played(play, block, full || at > 0, at === 0 || rotary_by_window), count: 1 };
    return block.count > 1 ? [alone, { ...played(play, block, true, false), count: block.count - 1 }] : [alone];
  });
  const tape = new Tape();
  const last = play(tape);
  const loss = playHead(last, tape.tensor(last.tokens * model.hidden, last.stream_width, true));
  const { kept } = tape;
  const { at_once } = logitTokens(last);
  // Trained embeddings keep the words and places that were looked up.
  const words = full ? last.tokens * 8 * (model.position_params > 0 ? 2 : 1) : 0;
  const head = { kept: kept + words, forward: tape.forward(), backward: tape.backward(loss), logits: at_once * model.vocab };
  return { blocks, head };
}
