import type { ReactNode } from 'react';
import { HYPERPARAMETER_PRESETS } from '#/domain/hyperparameters.ts';
import { written } from '#/domain/written-number.ts';
import type { FormPreset } from '#/hooks/training-form.ts';
import { PRESETS } from './preset-words.ts';

/** One choice that sets every number; the cards show the main ones. */
export function PresetCards({ value, onChange }: { value: FormPreset; onChange(preset: FormPreset): void }) {
  return (
    <fieldset>
      <legend className="sr-only">Preset</legend>
      <div className="grid gap-3 sm:grid-cols-3">
        {PRESETS.map(({ id, name, about, icon: Icon }) => {
          const { epochs, learning_rate, batch_size, rank } = HYPERPARAMETER_PRESETS[id];
          return (
            <label
              key={id}
              htmlFor={`preset-${id}`}
              className="flex cursor-pointer flex-col gap-1 rounded-lg border bg-panel p-3.5 transition-colors hover:border-edge has-checked:border-accent has-checked:bg-accent-wash/60 has-checked:shadow-[inset_0_0_0_1px_var(--color-accent)] has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2"
            >
              <input
                id={`preset-${id}`}
                type="radio"
                name="preset"
                className="sr-only"
                checked={value === id}
                onChange={() => onChange(id)}
              />
              <span className="flex items-center gap-2 font-medium">
                <Icon aria-hidden className="size-4 text-accent" />
                {name}
              </span>
              <span className="text-soft text-sm">{about}</span>
              <span className="mt-auto grid grid-cols-[auto_1fr] gap-x-3 pt-2 text-sm sm:grid-cols-[auto_1fr_auto_1fr]">
                <Setting name="Epochs" value={epochs} />
                <Setting name="Rate" value={written(learning_rate)} />
                <Setting name="Batch" value={batch_size} />
                <Setting name="Rank" value={rank} />
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

function Setting({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <span className="text-soft">{name}</span>
      <span>{value}</span>
    </>
  );
}
