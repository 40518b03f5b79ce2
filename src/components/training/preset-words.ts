import { Crown, type LucideIcon, Target, Zap } from 'lucide-react';
import type { HyperparameterName } from '#/domain/hyperparameters.ts';
import type { FormPreset } from '#/hooks/training-form.ts';

export const PRESETS: readonly { id: FormPreset; name: string; about: string; icon: LucideIcon }[] = [
  { id: 'fast', name: 'Fast', about: 'Quick tries: one pass, a small adapter.', icon: Zap },
  { id: 'balanced', name: 'Balanced', about: 'Right for most datasets.', icon: Target },
  { id: 'quality', name: 'Quality', about: 'For production: slow steps, a large adapter.', icon: Crown },
];

export const FIELD_WORDS: Record<HyperparameterName, { label: string; about: string }> = {
  learning_rate: { label: 'Learning rate', about: 'How far each step goes. Too high and the loss jumps.' },
  batch_size: { label: 'Batch size', about: 'Rows a step. More needs more memory.' },
  epochs: { label: 'Epochs', about: 'Passes over the rows.' },
  rank: { label: 'Rank', about: 'Size of the adapter: what it can learn.' },
  alpha: { label: 'Alpha', about: 'Weight of the adapter; often twice the rank.' },
  dropout: { label: 'Dropout', about: 'Share of inputs left out at random, against learning by heart.' },
};

/** Below so many billion parameters the presets' rates teach next to nothing in a run of their length. */
const SMALL_PARAMS_B = 0.05;

/** For what models the presets are, and what to do with one that they are not for. */
export function presetAdvice(model: { name: string; params_b: number | null } | undefined): string {
  const general = 'The presets are for models of a billion parameters; smaller ones want a higher learning rate.';
  if (model?.params_b == null || model.params_b >= SMALL_PARAMS_B) return general;
  const millions = Math.max(1, Math.round(model.params_b * 1000));
  return `The presets are for models of a billion parameters. ${model.name} has about ${millions} million: with their learning rates it learns next to nothing. Set 1e-3 to 5e-3 below.`;
}
