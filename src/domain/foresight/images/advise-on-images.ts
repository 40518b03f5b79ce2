/** What would make a training on images fit, as `adviseOn` says it of text. */
import { formatBytes } from '../../bytes.ts';
import type { Advice, Change } from '../advice.ts';
import type { ForeseenDevice } from '../judge-run.ts';
import { verdictOf } from '../verdict.ts';
import { estimateImageClass, type ImageEstimate, type ImageQuestion } from './estimate-image.ts';
import type { ImageClass } from './image-classes.ts';

interface ImageAdviceContext {
  one: ImageClass;
  question: ImageQuestion;
  told: ImageEstimate;
  device: ForeseenDevice;
  offers: readonly ForeseenDevice[];
}

interface Candidate {
  changes: Change[];
  question: ImageQuestion;
  what: string;
  device?: ForeseenDevice;
}

/** Sides that are worth a name. */
const SIDES = [768, 512, 256] as const;
const ADVICE_MAX = 5;

/** Changes that help, those that make it fit first; what leaves the picture alone before what does not, and another device last. */
export function adviseOnImages(context: ImageAdviceContext): Advice[] {
  const { question, device, offers } = context;
  const kept: Candidate[] = [];
  if (!question.cached_embeddings)
    kept.push({
      changes: [{ field: 'cache_text_embeddings', value: true }],
      question: { ...question, cached_embeddings: true },
      what: 'Text encoders as they are, each caption through them once',
    });
  if (question.validation)
    kept.push({
      changes: [{ field: 'sample_prompts', value: 0 }],
      question: { ...question, validation: false },
      what: 'No samples on the way',
    });
  const smaller = SIDES.filter((side) => side < question.resolution).map((side) => ({
    changes: [{ field: 'resolution' as const, value: side }],
    question: { ...question, resolution: side },
    what: `Images of ${side} pixels instead of ${question.resolution}`,
  }));
  const memory = device.facts?.memory_bytes ?? 0;
  const larger = offers
    .filter(({ type, facts }) => type !== device.type && facts?.kind === 'gpu' && facts.memory_bytes > memory)
    .toSorted((a, b) => a.hourly_rate - b.hourly_rate)
    .map((offer) => ({
      changes: [{ field: 'gpu' as const, value: offer.type }],
      question: { ...question, weights_dtype: 'bf16' as const },
      what: `${offer.type}${offer.hourly_rate > 0 ? ` at $${offer.hourly_rate.toFixed(2)} an hour` : ''}`,
      device: offer,
    }));
  const advised = [kept, firstThatFits(smaller, context), firstThatFits(larger, context)].flatMap((group) =>
    group.flatMap((candidate) => adviceOf(candidate, context) ?? []),
  );
  return [...advised.filter(({ verdict }) => verdict === 'fits'), ...advised.filter(({ verdict }) => verdict !== 'fits')].slice(
    0,
    ADVICE_MAX,
  );
}

/** Of sides and devices the least change that makes it fit, or else the most that there is. */
function firstThatFits(candidates: Candidate[], context: ImageAdviceContext): Candidate[] {
  const fits = candidates.find((candidate) => adviceOf(candidate, context)?.verdict === 'fits');
  return [fits ?? candidates.at(-1)].filter((candidate) => candidate !== undefined);
}

/** null: it saves nothing. */
function adviceOf({ changes, question, what, device }: Candidate, { one, told, ...context }: ImageAdviceContext): Advice | null {
  const facts = (device ?? context.device).facts;
  const own = context.device.facts;
  if (facts === null || own === null) return null;
  const then = estimateImageClass(one, question, facts);
  const verdict = verdictOf(then.memory, facts);
  const saves_bytes =
    device === undefined ? told.memory.device_bytes - then.memory.device_bytes : facts.memory_bytes - own.memory_bytes;
  if (saves_bytes <= 0) return null;
  const time_factor = then.time.seconds_per_step / told.time.seconds_per_step;
  const memory = `${formatBytes(saves_bytes)} ${device === undefined ? 'less' : 'more to fill'}`;
  const times = Math.abs(time_factor - 1) < 0.05 ? 'in the same time' : `${time_factor.toPrecision(2)}× the time a step`;
  const enough = verdict === 'fits' ? '' : verdict === 'tight' ? ', and it may fit' : ', which is not enough alone';
  return {
    changes,
    saves_bytes,
    time_factor,
    tokens_lost: 0,
    verdict,
    available: true,
    sentence: `${what}: ${memory}, ${times}${enough}.`,
  };
}
