/** What stands outside the blocks on the tape: the last norm, the head, the logits and the loss. */
import { habitsOf } from './family-habits.ts';
import { normStyle, playNorm } from './norm-tape.ts';
import type { PlayedRun } from './played-run.ts';
import type { Tensor } from './tape.ts';

/** Tokens a piece of `chunked`: TRL's chunked_nll (trl PR 5575). */
const CHUNK_TOKENS = 256;

/** Tokens that have logits at once, of those that the head sees. */
export function logitTokens({ run, model, tokens }: PlayedRun): { seen: number; at_once: number } {
  const seen = run.switches.head_on_trained_only ? Math.ceil(tokens * run.trained_share) : tokens;
  if (run.loss === 'chunked') return { seen, at_once: Math.min(seen, CHUNK_TOKENS) };
  if (run.loss !== 'fused') return { seen, at_once: seen };
  // liger_kernel/ops/fused_linear_cross_entropy.py: as many pieces as the vocabulary is wider than the hidden state.
  const pieces = Math.ceil(model.vocab / model.hidden);
  return { seen, at_once: Math.min(seen, 2 ** Math.ceil(Math.log2(Math.max(1, Math.ceil(seen / pieces))))) };
}

/**
 * Plays norm, head and loss after the last block; the answer is the loss. Pieces of `chunked` and `fused` are computed again or
 * give their gradient at once, so that one piece's logits live at a time.
 */
export function playHead(play: PlayedRun, hidden: Tensor): Tensor {
  const { tape, model, run, autocast } = play;
  const block = model.blocks.at(-1);
  const normed = block === undefined ? hidden : playNorm(play, normStyle(play, block), hidden, model.hidden);
  const { seen, at_once } = logitTokens(play);
  const selects = run.switches.head_on_trained_only;
  const position_bytes = tape.tensor(seen, 8, false);
  const chosen = selects ? tape.step([normed], tape.tensor(seen * model.hidden, normed.width, false), [position_bytes]) : normed;
  const matrix = tape.weight(model.vocab * model.hidden, play.weight_width, play.full);
  if (run.loss === 'fused') return fusedLoss(play, chosen, matrix, at_once);
  const piece =
    at_once === seen ? chosen : tape.step([chosen], tape.tensor(at_once * model.hidden, chosen.width, false), [chosen]);
  let logits = tape.linear(piece, matrix, at_once * model.vocab, autocast);
  const { caps_logits = false, scales_logits = false } = habitsOf(model.family);
  if (caps_logits) logits = tape.plain([tape.apply(tape.plain([logits]), 'output')]);
  if (scales_logits) logits = tape.plain([logits]);
  const wide = tape.cast(logits, 4);
  const log_softmax = tape.tensor(wide.elements, 4, false);
  tape.step([wide], log_softmax, [log_softmax]);
  // The caller still has the logits as the head gave them.
  tape.refer(logits);
  const targets = tape.tensor(at_once, 8, false);
  const weight = tape.tensor(1, 4, false);
  return tape.step([log_softmax], tape.tensor(1, 4, false), [log_softmax, targets, weight]);
}

/** Liger's: logits and their gradient in one buffer, the gradient of its input for all tokens, of the head in its own dtype. */
function fusedLoss(play: PlayedRun, chosen: Tensor, matrix: Tensor, at_once: number): Tensor {
  const { tape, model, autocast } = play;
  const input = tape.autocast(chosen, autocast);
  const weight = tape.autocast(matrix, autocast);
  const gradient = tape.tensor(input.elements, input.width, false);
  const weight_gradient = weight.grad ? [tape.tensor(weight.elements, weight.width, false)] : [];
  const piece = at_once * model.vocab * input.width;
  return tape.step([input, weight], tape.tensor(1, 4, false), [gradient, ...weight_gradient], { forward: piece });
}
