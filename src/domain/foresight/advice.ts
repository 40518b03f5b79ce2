/** What would make a training fit: each change with what it saves and what it costs, as data and as a sentence. */
import { formatBytes } from '../bytes.ts';
import { TRAINER_CAN } from '../trainer-abilities.ts';
import { type ForeseenDevice, type JudgedRun, judgeRun, type KnownRun, loadOfRun, longestRow } from './judge-run.ts';
import type { RunShape } from './run-shape.ts';
import type { Verdict } from './verdict.ts';

export const CHANGES = [
  'loss',
  'gradient_checkpointing',
  'micro_batch',
  'max_seq_length',
  'rank',
  'quantization',
  'gpu',
  'gpus',
  // Of images.
  'resolution',
  'cache_text_embeddings',
  'sample_prompts',
] as const;

export interface Change {
  field: (typeof CHANGES)[number];
  value: string | number | boolean;
}

export interface Advice {
  /** All of it together. */
  changes: Change[];
  /** Bytes less on the fullest device; of another device: bytes more that it has. */
  saves_bytes: number;
  /** Time of the run, as a multiple of what it takes now. */
  time_factor: number;
  /** Share of the dataset's tokens that are cut off; null: not counted. */
  tokens_lost: number | null;
  /** What it comes to. */
  verdict: Verdict;
  /** False: nothing that the trainer of this installation does yet. */
  available: boolean;
  sentence: string;
}

interface Candidate {
  changes: Change[];
  run: RunShape;
  known?: KnownRun;
  what: string;
  available: boolean;
  tokens_lost?: number | null;
  /** Where another device is meant: bytes that it has more. */
  more_bytes?: number;
}

interface AdviceContext {
  known: KnownRun;
  judged: JudgedRun;
  device: ForeseenDevice;
  offers: readonly ForeseenDevice[];
}

/** Lengths that are worth a name. */
const LENGTHS = [4096, 2048, 1024, 768, 512, 384, 256, 128] as const;
const RANKS = [32, 16, 8, 4] as const;
const DEVICES_MAX = 8;
const ADVICE_MAX = 8;

/**
 * Changes that help, those that make it fit and can be had here first; among these what leaves the result alone before what
 * does not, and another device last.
 */
export function adviseOn(context: AdviceContext): Advice[] {
  const { known, judged } = context;
  const single = [
    ...lossChanges(judged.run),
    ...passChanges(judged.run),
    ...lengthChanges(context),
    ...sizeChanges(judged.run),
    ...deviceChanges(context),
  ].map((candidate) => adviceOf(candidate, context));
  const helping = single.filter(({ saves_bytes, verdict }) => saves_bytes > 0 || verdict === 'fits');
  const alone = helping.some(({ verdict, available }) => verdict === 'fits' && available);
  const joint = alone ? [] : togetherOf(context).map((candidate) => adviceOf(candidate, { ...context, known }));
  return [...firstOfEach(helping), ...joint.filter(({ verdict }) => verdict === 'fits')]
    .toSorted((a, b) => place(a) - place(b))
    .slice(0, ADVICE_MAX);
}

const place = ({ verdict, available }: Advice): number => (available ? 0 : 2) + (verdict === 'fits' ? 0 : 1);

/** Of lengths, ranks and numbers of devices the least that makes it fit, or else the most that there is. */
function firstOfEach(all: Advice[]): Advice[] {
  const fields = [...new Set(all.map(({ changes }) => changes[0]?.field))];
  return fields.flatMap((field) => {
    const same = all.filter(({ changes }) => changes[0]?.field === field);
    return same.find(({ verdict }) => verdict === 'fits') ?? same.at(-1) ?? [];
  });
}

/** A cross-entropy that never holds all logits at once. */
function lossChanges(run: RunShape): Candidate[] {
  if (run.loss !== 'standard' && run.loss !== 'kept-logits') return [];
  const what = 'A loss in pieces instead of over all tokens at once';
  return [{ changes: [{ field: 'loss', value: 'chunked' }], run: { ...run, loss: 'chunked' }, what, available: false }];
}

function passChanges(run: RunShape): Candidate[] {
  const rows = run.micro_batch * run.grad_accum;
  const smaller = Array.from({ length: run.micro_batch - 1 }, (_, less) => run.micro_batch - 1 - less).filter(
    (micro) => rows % micro === 0,
  );
  const checkpointing: Candidate[] = run.gradient_checkpointing
    ? []
    : [
        {
          changes: [{ field: 'gradient_checkpointing', value: true }],
          run: { ...run, gradient_checkpointing: true },
          what: 'Gradient checkpointing',
          available: true,
        },
      ];
  return [
    ...checkpointing,
    ...smaller.map((micro): Candidate => {
      const passes = { micro_batch: micro, grad_accum: rows / micro };
      const what = `${rows / micro} passes of ${micro} ${micro === 1 ? 'row' : 'rows'} instead of ${run.grad_accum} of ${run.micro_batch}, the same batch`;
      return { changes: [{ field: 'micro_batch', value: micro }], run: { ...run, ...passes }, what, available: true };
    }),
  ];
}

function lengthChanges({ known, judged: { run } }: AdviceContext): Candidate[] {
  const now = loadOfRun(known, run).tokens;
  return LENGTHS.filter((length) => length < run.seq_len).map((length) => {
    const shorter = { ...run, seq_len: longestRow(known.lengths, length, run.switches) };
    const lost = known.lengths === null ? null : Math.max(0, 1 - loadOfRun(known, shorter).tokens / now);
    const cut = lost === null ? '' : `, which cuts off ${percent(lost)} of the tokens`;
    return {
      changes: [{ field: 'max_seq_length', value: length }],
      run: shorter,
      what: `Rows of at most ${length} tokens${cut}`,
      tokens_lost: lost,
      available: true,
    };
  });
}

function sizeChanges(run: RunShape): Candidate[] {
  const { adapter } = run;
  if (adapter === null) return [];
  const ranks = RANKS.filter((rank) => rank < adapter.rank).map(
    (rank): Candidate => ({
      changes: [{ field: 'rank', value: rank }],
      run: { ...run, adapter: { ...adapter, rank } },
      what: `Rank ${rank} instead of ${adapter.rank}`,
      available: true,
    }),
  );
  if (run.quantization !== 'none') return ranks;
  const four_bit: RunShape = { ...run, method: 'qlora', quantization: 'nf4-dq', adapter: { ...adapter, dtype: 'bf16' } };
  const available = (TRAINER_CAN.methods as readonly string[]).includes('qlora');
  return [
    ...ranks,
    { changes: [{ field: 'quantization', value: 'nf4-dq' }], run: four_bit, what: 'QLoRA: a base of 4 bits', available },
  ];
}

function deviceChanges({ known, judged: { run }, device, offers }: AdviceContext): Candidate[] {
  const larger = offers
    .flatMap((offer) => (offer.facts === null || offer.type === device.type ? [] : [{ ...offer, facts: offer.facts }]))
    .filter(({ facts }) => facts.kind === 'gpu' && facts.memory_bytes > known.facts.memory_bytes)
    .toSorted((a, b) => a.hourly_rate - b.hourly_rate)
    .map(
      ({ type, facts, hourly_rate }): Candidate => ({
        changes: [{ field: 'gpu', value: type }],
        run,
        known: { ...known, facts },
        what: `${type}${hourly_rate > 0 ? ` at $${hourly_rate.toFixed(2)} an hour` : ''}`,
        more_bytes: facts.memory_bytes - known.facts.memory_bytes,
        available: true,
      }),
    );
  const rows = run.micro_batch * run.grad_accum * run.gpus;
  const more = [2, 4, DEVICES_MAX]
    .filter((gpus) => known.facts.kind === 'gpu' && gpus > run.gpus && rows % gpus === 0)
    .map(
      (gpus): Candidate => ({
        changes: [{ field: 'gpus', value: gpus }],
        run: { ...run, gpus, strategy: 'fsdp', ...passesOf(rows / gpus, run.micro_batch) },
        what: `${gpus} of them with FSDP, which share the batch`,
        available: TRAINER_CAN.devices_max >= gpus && (TRAINER_CAN.strategies as readonly string[]).includes('fsdp'),
      }),
    );
  return [...larger, ...more];
}

/** Passes of at most so many rows that make up a device's rows of a step. */
function passesOf(rows: number, most: number): Pick<RunShape, 'micro_batch' | 'grad_accum'> {
  const micro_batch = Array.from({ length: most }, (_, less) => most - less).find((micro) => rows % micro === 0) ?? 1;
  return { micro_batch, grad_accum: rows / micro_batch };
}

/** Several at once, one after the other until it fits: what leaves the result alone first. */
function togetherOf(context: AdviceContext): Candidate[] {
  const { run } = context.judged;
  const rows = run.micro_batch * run.grad_accum;
  const passes: RunShape = { ...run, gradient_checkpointing: true, micro_batch: 1, grad_accum: rows };
  const first: Change[] = [];
  if (!run.gradient_checkpointing) first.push({ field: 'gradient_checkpointing', value: true });
  if (run.micro_batch > 1) first.push({ field: 'micro_batch', value: 1 });
  const words = [
    ...(run.gradient_checkpointing ? [] : ['gradient checkpointing']),
    ...(run.micro_batch > 1 ? ['one row a pass'] : []),
  ];
  const together = (changes: Change[], all: string[], next: RunShape, tokens_lost: number | null = 0): Candidate[] =>
    changes.length < 2 ? [] : [{ changes, run: next, what: `Together: ${all.join(', ')}`, available: true, tokens_lost }];
  const shorter = lengthChanges({ ...context, judged: { ...context.judged, run: passes } }).flatMap((one) =>
    together(
      [...first, ...one.changes],
      [...words, one.what.charAt(0).toLowerCase() + one.what.slice(1)],
      one.run,
      one.tokens_lost,
    ),
  );
  const fitting = [...together(first, words, passes), ...shorter].find(
    (candidate) => judgeRun(context.known, candidate.run).verdict === 'fits',
  );
  return fitting === undefined ? [] : [fitting];
}

function adviceOf(candidate: Candidate, { known, judged }: AdviceContext): Advice {
  const then = judgeRun(candidate.known ?? known, candidate.run);
  // What a change makes of a run is the formulas' to say: a run that was measured differs from one that was not by more than the change.
  const saved = (judged.memory.device_bytes - then.memory.device_bytes) * judged.correction.memory.factor;
  const saves_bytes = candidate.more_bytes ?? saved;
  const time_factor = then.time.seconds_per_step / judged.time.seconds_per_step;
  const memory =
    candidate.more_bytes === undefined
      ? `${formatBytes(Math.max(0, saves_bytes))} less`
      : `${formatBytes(saves_bytes)} more to fill`;
  const enough = then.verdict === 'fits' ? '' : then.verdict === 'tight' ? ', and it may fit' : ', which is not enough alone';
  const can = candidate.available ? '' : ' (the trainer of this installation does not do that yet)';
  return {
    changes: candidate.changes,
    saves_bytes,
    time_factor,
    tokens_lost: candidate.tokens_lost === undefined ? 0 : candidate.tokens_lost,
    verdict: then.verdict,
    available: candidate.available,
    sentence: `${candidate.what}: ${memory}, ${timesOf(time_factor)}${enough}${can}.`,
  };
}

function timesOf(factor: number): string {
  if (Math.abs(factor - 1) < 0.05) return 'in the same time';
  return `${factor < 0.1 ? factor.toPrecision(1) : factor.toFixed(1)}× the time`;
}

const percent = (share: number): string =>
  share > 0 && share < 0.001 ? 'less than 0.1 %' : `${Math.round(share * 1000) / 10} %`;
