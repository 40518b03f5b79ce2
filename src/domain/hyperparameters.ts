import * as z from 'zod';
import { toldRule } from './told-rule.ts';
import { written } from './written-number.ts';

/** The widest ranges that a door may offer; doors and sliders only narrow them. Units: learning rate per step, the rest counts. */
export const HYPERPARAMETER_RANGES = {
  learning_rate: { min: 1e-6, max: 1e-2 },
  batch_size: { min: 1, max: 16 },
  epochs: { min: 1, max: 10 },
  rank: { min: 4, max: 128 },
  alpha: { min: 1, max: 128 },
  dropout: { min: 0, max: 0.5 },
} as const;

/** The most devices that train together: each takes its part of a batch. */
export const DEVICES_MAX = 8;

export type HyperparameterName = keyof typeof HYPERPARAMETER_RANGES;

const ranged = (name: HyperparameterName, max = HYPERPARAMETER_RANGES[name].max) => {
  const { min } = HYPERPARAMETER_RANGES[name];
  const rule = `${name} must be between ${written(min)} and ${written(max)}`;
  return z
    .number(toldRule(`${name} must be a number`))
    .min(min, rule)
    .max(max, rule);
};
const whole = (name: HyperparameterName, max: number = HYPERPARAMETER_RANGES[name].max) => {
  const { min } = HYPERPARAMETER_RANGES[name];
  const rule = toldRule(`${name} must be a whole number between ${min} and ${max}`);
  return z.int(rule).min(min, rule).max(max, rule);
};

/** The hyperparameters of a LoRA run, each within the domain's widest range. */
export const HyperparameterConfig = z.strictObject({
  learning_rate: ranged('learning_rate').describe('Peak learning rate of the schedule'),
  batch_size: whole('batch_size').describe('Rows a step'),
  epochs: whole('epochs').describe('Passes over the training rows'),
  rank: whole('rank').describe('Rank of the adapter matrices'),
  alpha: whole('alpha').describe('Scale of the adapter: its update is multiplied by alpha / rank'),
  dropout: ranged('dropout').describe('Dropout on the adapter input'),
});
export type HyperparameterConfig = z.infer<typeof HyperparameterConfig>;

/** The same as they are asked for: a run that is counted in steps has no epochs, and several devices take a batch each. */
export const AskedHyperparameters = HyperparameterConfig.extend({
  batch_size: whole('batch_size', HYPERPARAMETER_RANGES.batch_size.max * DEVICES_MAX).describe('Rows a pass of all devices'),
  epochs: whole('epochs').nullable().describe('Passes over the training rows; null for a run that is counted in steps'),
});
export type AskedHyperparameters = z.infer<typeof AskedHyperparameters>;

/** Rank as door B offers it. */
export const DOOR_B_RANK_MAX = 64;

/** The same with rank narrowed to door B's range. */
const DoorBHyperparameters = HyperparameterConfig.extend({ rank: whole('rank', DOOR_B_RANK_MAX) });

/** What an estimate is asked of: alpha and dropout change nothing of it. */
export const EstimatedHyperparameters = DoorBHyperparameters.partial({ alpha: true, dropout: true });
export type EstimatedHyperparameters = z.infer<typeof EstimatedHyperparameters>;

/** Each field optional: what a client sends to override a preset. */
export const HyperparameterOverrides = DoorBHyperparameters.partial();
export type HyperparameterOverrides = z.infer<typeof HyperparameterOverrides>;

export const PRESET_IDS = ['fast', 'balanced', 'quality', 'custom'] as const;
export type PresetId = (typeof PRESET_IDS)[number];
export const DEFAULT_PRESET_ID = 'balanced' satisfies PresetId;

/** Other names that clients use for our presets. */
export const PRESET_ALIASES = { aggressive: 'fast', conservative: 'quality' } as const satisfies Record<string, PresetId>;

export const HYPERPARAMETER_PRESETS: Record<Exclude<PresetId, 'custom'>, HyperparameterConfig> = {
  fast: { learning_rate: 1e-4, batch_size: 8, epochs: 1, rank: 8, alpha: 16, dropout: 0.05 },
  balanced: { learning_rate: 5e-5, batch_size: 4, epochs: 3, rank: 16, alpha: 32, dropout: 0.1 },
  quality: { learning_rate: 3e-5, batch_size: 2, epochs: 5, rank: 32, alpha: 64, dropout: 0.1 },
};

/** A preset or one of its aliases, in our own name. */
export const PresetInput = z
  .enum([...PRESET_IDS, ...(Object.keys(PRESET_ALIASES) as (keyof typeof PRESET_ALIASES)[])])
  .describe('fast, balanced, quality or custom; aggressive and conservative are other names of fast and quality');

/**
 * Fills overrides up from their preset. A preset whose values were changed becomes `custom`, so that the stored name
 * never lies about the values beside it.
 */
export function resolveHyperparameters(
  preset: z.infer<typeof PresetInput>,
  overrides: HyperparameterOverrides,
): { preset_id: PresetId; hyperparameters: HyperparameterConfig } {
  const preset_id: PresetId =
    preset in PRESET_ALIASES ? PRESET_ALIASES[preset as keyof typeof PRESET_ALIASES] : (preset as PresetId);
  const base = HYPERPARAMETER_PRESETS[preset_id === 'custom' ? DEFAULT_PRESET_ID : preset_id];
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  const hyperparameters: HyperparameterConfig = { ...base, ...given };
  const changed = (Object.keys(base) as HyperparameterName[]).some((name) => base[name] !== hyperparameters[name]);
  return { preset_id: changed ? 'custom' : preset_id, hyperparameters };
}
