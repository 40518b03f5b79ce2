import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HYPERPARAMETER_PRESETS,
  HYPERPARAMETER_RANGES,
  HyperparameterConfig,
  HyperparameterOverrides,
  resolveHyperparameters,
} from './hyperparameters.ts';
import { written } from './written-number.ts';

describe('presets', () => {
  test('each preset keeps the ranges that it is offered in', () => {
    for (const preset of Object.values(HYPERPARAMETER_PRESETS)) expect(HyperparameterConfig.parse(preset)).toEqual(preset);
  });

  test('an untouched preset keeps its name, its other name leads to it, a changed one is custom', () => {
    expect(resolveHyperparameters('fast', {})).toEqual({ preset_id: 'fast', hyperparameters: HYPERPARAMETER_PRESETS.fast });
    expect(resolveHyperparameters('aggressive', {}).preset_id).toBe('fast');
    expect(resolveHyperparameters('conservative', {}).preset_id).toBe('quality');
    expect(resolveHyperparameters('fast', { rank: 8 }).preset_id).toBe('fast');
    expect(resolveHyperparameters('fast', { rank: 9 })).toMatchObject({
      preset_id: 'custom',
      hyperparameters: { rank: 9, batch_size: 8 },
    });
    expect(resolveHyperparameters('custom', {}).preset_id).toBe('custom');
  });
});

describe('ranges', () => {
  test('both ends are in, the next value outside is refused with the range in its message', () => {
    for (const [name, { min, max }] of Object.entries(HYPERPARAMETER_RANGES)) {
      const top = name === 'rank' ? 64 : max;
      const step = name === 'learning_rate' ? min / 10 : name === 'dropout' ? 0.01 : 1;
      for (const good of [min, top]) expect(HyperparameterOverrides.safeParse({ [name]: good }).success).toBe(true);
      for (const bad of [min - step, top + step]) {
        const refused = HyperparameterOverrides.safeParse({ [name]: bad });
        expect(refused.error?.issues[0]?.message).toContain(`between ${written(min)} and ${written(top)}`);
      }
    }
  });

  test('nothing but finite numbers is a number, and unknown names are refused', () => {
    for (const bad of ['8', true, null, [8], {}, Number.NaN, Infinity]) {
      for (const name of Object.keys(HYPERPARAMETER_RANGES))
        expect(HyperparameterOverrides.safeParse({ [name]: bad }).success).toBe(false);
    }
    expect(HyperparameterOverrides.safeParse({ rnak: 8 }).success).toBe(false);
  });

  test('whole numbers stay whole', () => {
    fc.assert(
      fc.property(fc.double({ min: 4, max: 64, noNaN: true }), (rank) => {
        expect(HyperparameterOverrides.safeParse({ rank }).success).toBe(Number.isInteger(rank));
      }),
    );
  });
});
