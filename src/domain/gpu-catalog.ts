import * as z from 'zod';
import { GB } from './bytes.ts';
import type { DeviceFacts } from './foresight/devices/hardware.ts';
import { findDevice, KNOWN_DEVICES, knownName } from './foresight/devices/known-devices.ts';
import { toCents } from './money.ts';
import { toldRule } from './told-rule.ts';

/** One kind of device that a training is priced on. */
export interface GpuEntry {
  type: string;
  /** Other names of it. */
  aliases: readonly string[];
  /** US dollars an hour for one of them. */
  hourly_rate: number;
  /** Tokens a second of one of them, assumed while no model is known. */
  tokens_per_second: number;
  /** GB of one of them, as its driver tells; null: as that which it is like has. */
  memory_gb: number | null;
  /** The device of the planner's table that it is as fast as; null: that of its own name, if there is one. */
  like: string | null;
}

/**
 * The catalogue that every installation starts with. The first four rates are agreed with door B's clients. The others are assumptions
 * until an administrator says better: what public clouds and marketplaces ask for one on demand, roughly, and a throughput between
 * those of the devices beside it. What one owns costs nothing unless it is given a price.
 */
export const GPU_CONFIGURATIONS = {
  'A100-80GB': { aliases: ['a100'], hourly_rate: 3.5, tokens_per_second: 1800 },
  'A100-40GB': { aliases: [], hourly_rate: 2.8, tokens_per_second: 1500 },
  H100: { aliases: [], hourly_rate: 4.2, tokens_per_second: 2200 },
  'V100-32GB': { aliases: ['v100'], hourly_rate: 2.1, tokens_per_second: 1200 },
  H200: { aliases: [], hourly_rate: 4.8, tokens_per_second: 2400 },
  B200: { aliases: [], hourly_rate: 6.5, tokens_per_second: 3600 },
  MI300X: { aliases: [], hourly_rate: 3.9, tokens_per_second: 2000 },
  L40S: { aliases: [], hourly_rate: 1.9, tokens_per_second: 1400 },
  L4: { aliases: [], hourly_rate: 0.8, tokens_per_second: 500 },
  A10G: { aliases: ['a10'], hourly_rate: 1.1, tokens_per_second: 700 },
  T4: { aliases: [], hourly_rate: 0.5, tokens_per_second: 300 },
  'RTX-3090': { aliases: ['3090'], hourly_rate: 0.4, tokens_per_second: 900 },
  'RTX-4090': { aliases: ['4090'], hourly_rate: 0.7, tokens_per_second: 1300 },
  'RTX-5090': { aliases: ['5090'], hourly_rate: 0.9, tokens_per_second: 1700 },
  CPU: { aliases: [], hourly_rate: 0, tokens_per_second: 40 },
  'Own-GPU': { aliases: ['own', 'local'], hourly_rate: 0, tokens_per_second: 1000 },
} as const satisfies Record<string, Pick<GpuEntry, 'aliases' | 'hourly_rate' | 'tokens_per_second'>>;

export type GpuType = keyof typeof GPU_CONFIGURATIONS;

/** The same as entries: what is offered where no administrator has said otherwise. */
export const GPU_DEFAULTS: readonly GpuEntry[] = Object.entries(GPU_CONFIGURATIONS).map(([type, entry]) => ({
  type,
  ...entry,
  memory_gb: null,
  like: null,
}));

/** What an entry can do, as the planner counts with it; null: it is like nothing that the planner knows. */
export function factsOfGpu({ type, like, memory_gb }: Pick<GpuEntry, 'type' | 'like' | 'memory_gb'>): DeviceFacts | null {
  const known = findDevice(like ?? type);
  return known === null || memory_gb === null ? known : { ...known, memory_bytes: memory_gb * GB };
}

/** An entry as the catalogue is told: where it stands. */
export interface CatalogEntry extends GpuEntry {
  /** `changed`: one of ours with an administrator's figures. */
  origin: 'built_in' | 'changed' | 'added';
}

const NAME_RULE = 'must be letters, digits and . + - only, at most 60, beginning with a letter or digit';
/** A device's name as it can stand in an address: no blanks, for `RTX 4090` finds `RTX-4090` as well. */
export const GpuName = z.string(toldRule(NAME_RULE)).regex(/^[A-Za-z0-9][A-Za-z0-9.+-]{0,59}$/, NAME_RULE);

export const GPU_RANGES = {
  hourly_rate: { min: 0, max: 1000 },
  tokens_per_second: { min: 1, max: 10_000_000 },
  memory_gb: { min: 0.1, max: 10_000 },
} as const;
const { hourly_rate, tokens_per_second, memory_gb } = GPU_RANGES;
const rate_rule = toldRule(`hourly_rate must be US dollars to the cent, from ${hourly_rate.min} to ${hourly_rate.max}`);
const speed_rule = toldRule(`tokens_per_second must be a whole number from ${tokens_per_second.min} to ${tokens_per_second.max}`);

const memory_rule = toldRule(
  `memory_gb must be GB with at most one decimal, from ${memory_gb.min} to ${memory_gb.max}, or null for as much as that which it is like`,
);
const like_rule = toldRule(`like must be null or one of ${KNOWN_DEVICES.map(({ name }) => name).join(', ')}`);

/** What an administrator says of a device. */
export const GpuFigures = z.strictObject({
  hourly_rate: z
    .number(rate_rule)
    .min(hourly_rate.min, rate_rule)
    .max(hourly_rate.max, rate_rule)
    .refine((usd) => toCents(usd) === usd, rate_rule)
    .describe('US dollars an hour for one of them'),
  tokens_per_second: z
    .int(speed_rule)
    .min(tokens_per_second.min, speed_rule)
    .max(tokens_per_second.max, speed_rule)
    .describe('Of one of them, assumed while no model is known'),
  aliases: z.array(GpuName).max(10, 'must have at most 10 names').describe('Other names of it'),
  memory_gb: z
    .number(memory_rule)
    .min(memory_gb.min, memory_rule)
    .max(memory_gb.max, memory_rule)
    .refine((gb) => Math.round(gb * 10) / 10 === gb, memory_rule)
    .nullable()
    .describe('GB (1e9 bytes) that its driver tells; null: as much as that which it is like'),
  like: z
    .string(like_rule)
    .max(60, like_rule)
    .refine((name) => findDevice(name) !== null, like_rule)
    .transform((name) => knownName(name) ?? name)
    .nullable()
    .describe('The known device that it computes like, for memory and time foretold; null: that of its own name'),
});
export type GpuFigures = z.infer<typeof GpuFigures>;

/** Entries that administrators may add; nobody chooses from more. */
export const GPU_ENTRIES_MAX = 100;

/** What is offered: ours, with an administrator's figures where there are some, and then theirs by name. Our names stay. */
export function mergeCatalog(rows: readonly GpuEntry[]): CatalogEntry[] {
  const byKey = new Map(rows.map((row) => [gpuKey(row.type), row]));
  const ours = GPU_DEFAULTS.map((entry): CatalogEntry => {
    const row = byKey.get(gpuKey(entry.type));
    byKey.delete(gpuKey(entry.type));
    if (row === undefined) return { ...entry, origin: 'built_in' };
    const aliases = [...entry.aliases, ...row.aliases.filter((name) => !entry.aliases.map(gpuKey).includes(gpuKey(name)))];
    return { ...row, type: entry.type, aliases, origin: 'changed' };
  });
  const added = [...byKey.values()].map((row): CatalogEntry => ({ ...row, origin: 'added' }));
  return [...ours, ...added.sort((a, b) => (gpuKey(a.type) < gpuKey(b.type) ? -1 : 1))];
}

/** A name of `wanted` that already means another device; null when all of them are free. */
export function takenGpuName(catalog: readonly GpuEntry[], wanted: Pick<GpuEntry, 'type' | 'aliases'>): string | null {
  const others = catalog.filter((entry) => gpuKey(entry.type) !== gpuKey(wanted.type));
  const own = [wanted.type, ...wanted.aliases];
  return (
    own.find((name, at) => findGpu(others, name) !== null || own.findIndex((one) => gpuKey(one) === gpuKey(name)) !== at) ?? null
  );
}

/** A name as names are compared: case does not count, nor whether it is written with blanks or hyphens. */
export const gpuKey = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');

/** The entry that a client's name means, by its own name or another; null when there is none. */
export function findGpu(catalog: readonly GpuEntry[], name: string): GpuEntry | null {
  const key = gpuKey(name);
  return catalog.find((entry) => [entry.type, ...entry.aliases].some((known) => gpuKey(known) === key)) ?? null;
}
