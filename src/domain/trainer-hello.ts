/** What a trainer says of itself before any job: the line of `train_lora.py --hello` (trainer/PROTOCOL.md). */
import * as z from 'zod';
import { StorableText } from './storable-text.ts';
import { MODEL_KINDS, TRAINER_PROTOCOL } from './trainer-config-parts.ts';

/** Longest line that is read, in bytes. */
export const HELLO_BYTES_MAX = 65_536;

/** Names that this version does not know are a newer trainer's: kept, and asked for by nobody. */
const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/);
const names = z.array(name).min(1).max(50);

export const TrainerHello = z.object({
  /** Versions of the protocol that it speaks. */
  protocols: z.array(z.int().min(1).max(1000)).min(1).max(50),
  /** Name and version. */
  trainer: StorableText(400).min(1),
  trains: z
    .array(z.object({ model_kind: name, methods: names, strategies: names, devices_max: z.int().min(1).max(1024) }))
    .min(1)
    .max(50),
});
export type TrainerHello = z.infer<typeof TrainerHello>;

export type ReadHello = { ok: true; hello: TrainerHello } | { ok: false; reason: string };

const whole = (words: readonly string[]) => words.join(', ');

/**
 * What a trainer printed on stdout, read: its last line that is not empty. `reason` is a sentence for whoever made the image:
 * what is wrong with the line, or that none of its protocols and kinds is known here.
 */
export function readHello(stdout: string): ReadHello {
  const line = stdout.trimEnd().split('\n').at(-1)?.trim() ?? '';
  if (line === '') return { ok: false, reason: 'it printed nothing: --hello prints one line of JSON on stdout' };
  if (new TextEncoder().encode(line).length > HELLO_BYTES_MAX)
    return { ok: false, reason: `its line is longer than ${HELLO_BYTES_MAX} bytes` };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, reason: 'the last line that it printed is not JSON' };
  }
  const parsed = TrainerHello.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return {
      ok: false,
      reason: `the field ${issue?.path.join('.') || '(whole line)'} of its line breaks a rule: ${issue?.message}`,
    };
  }
  const hello = parsed.data;
  if (!hello.protocols.includes(TRAINER_PROTOCOL))
    return {
      ok: false,
      reason: `it speaks protocol ${whole(hello.protocols.map(String))}, and this version ${TRAINER_PROTOCOL}`,
    };
  if (!hello.trains.some((one) => (MODEL_KINDS as readonly string[]).includes(one.model_kind)))
    return {
      ok: false,
      reason: `it trains ${whole(hello.trains.map((one) => one.model_kind))}, and this version asks for ${whole(MODEL_KINDS)}`,
    };
  return { ok: true, hello };
}

/** What a run asks of its trainer. */
export interface AskedOfTrainer {
  model_kind: string;
  method: string;
  strategy: string;
  devices: number;
}

/** Why a trainer with this hello cannot do it, as a sentence about the image; null when it can. */
export function whatItLacks(hello: TrainerHello, asked: AskedOfTrainer): string | null {
  const kind = hello.trains.find((one) => one.model_kind === asked.model_kind);
  if (kind === undefined)
    return `It trains ${whole(hello.trains.map((one) => one.model_kind))}, and this is a training of ${asked.model_kind}.`;
  if (!kind.methods.includes(asked.method))
    return `Of ${asked.model_kind} it trains ${whole(kind.methods)}, not ${asked.method}.`;
  if (asked.devices > kind.devices_max)
    return `It trains ${asked.model_kind} on at most ${kind.devices_max} device${kind.devices_max === 1 ? '' : 's'}, not ${asked.devices}.`;
  if (!kind.strategies.includes(asked.strategy))
    return `Its strategies for ${asked.model_kind} are ${whole(kind.strategies)}, not ${asked.strategy}.`;
  return null;
}
