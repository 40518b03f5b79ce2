'use client';
import { Field, Input } from '#/components/ui/Field.tsx';
import type { HyperparameterName } from '#/domain/hyperparameters.ts';
import { written } from '#/domain/written-number.ts';
import { readNumber } from '#/hooks/read-number.ts';
import { FIELD_WORDS } from './preset-words.ts';

/** The everyday part of each range; the typed entry beside a slider goes as far as the rules do. */
const SLIDERS: Partial<Record<HyperparameterName, { min: number; max: number; log?: true }>> = {
  learning_rate: { min: 1e-5, max: 2e-4, log: true },
  batch_size: { min: 1, max: 16 },
  epochs: { min: 1, max: 10 },
  rank: { min: 4, max: 64 },
};
const LOG_STEPS = 100;

interface HyperparameterFieldProps {
  name: HyperparameterName;
  value: string;
  error: string | undefined;
  onChange(value: string): void;
}

export function HyperparameterField({ name, value, error, onChange }: HyperparameterFieldProps) {
  const { label, about } = FIELD_WORDS[name];
  const slider = SLIDERS[name];
  return (
    <Field label={label} hint={about} error={error}>
      {(control) => (
        <div className="flex items-center gap-4">
          <Input
            {...control}
            inputMode="decimal"
            autoComplete="off"
            className="w-24 shrink-0"
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          {slider && <Slider label={label} value={readNumber(value)} onChange={onChange} {...slider} />}
        </div>
      )}
    </Field>
  );
}

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  log?: true;
  onChange(value: string): void;
}

function Slider({ label, value, min, max, log, onChange }: SliderProps) {
  const held = Number.isNaN(value) ? min : Math.min(max, Math.max(min, value));
  const place = log ? (Math.log(held / min) / Math.log(max / min)) * LOG_STEPS : held;
  return (
    <input
      type="range"
      aria-label={`${label}, slider`}
      aria-valuetext={Number.isNaN(value) ? undefined : written(value)}
      min={log ? 0 : min}
      max={log ? LOG_STEPS : max}
      step={1}
      value={place}
      onChange={(event) => {
        const at = Number(event.target.value);
        onChange(written(log ? Number((min * (max / min) ** (at / LOG_STEPS)).toPrecision(2)) : at));
      }}
      className="min-w-0 flex-1 accent-(--color-accent)"
    />
  );
}
