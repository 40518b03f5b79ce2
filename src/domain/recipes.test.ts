import { describe, expect, test } from 'vitest';
import { IMAGE_TRAINER_METHODS } from './image-trainer-config.ts';
import { BUILT_IN_RECIPES, builtInRecipe, RECIPE_METHODS, RecipeDefaults, whyUnavailable, withOverrides } from './recipes.ts';
import { EXPORT_FORMATS, lacking, TRAINER_CAN } from './trainer-abilities.ts';
import { TRAINER_METHODS } from './trainer-config.ts';
import { TRAINER_EXPORTS, TRAINER_STRATEGIES } from './trainer-config-parts.ts';

describe('the built-in recipes', () => {
  test('are one a method, each found by its id and its method, with defaults that a submission may have', () => {
    expect(BUILT_IN_RECIPES.map((recipe) => recipe.method)).toEqual([...RECIPE_METHODS]);
    expect(new Set(BUILT_IN_RECIPES.map((recipe) => recipe.id)).size).toBe(BUILT_IN_RECIPES.length);
    for (const recipe of BUILT_IN_RECIPES) {
      expect([builtInRecipe(recipe.id), builtInRecipe(recipe.method)]).toEqual([recipe, recipe]);
      expect(RecipeDefaults.parse(recipe.defaults)).toEqual(recipe.defaults);
      expect(recipe.defaults).toMatchObject({
        grad_accum: 1,
        warmup_steps: 100,
        seed: 42,
        checkpoint_interval: 100,
        eval_interval: 100,
        strategy: 'none',
        mixed_precision: 'bf16',
      });
    }
    expect(builtInRecipe('nothing')).toBeUndefined();
  });

  test('are available exactly where the trainer has the method, and the others say what is', () => {
    const able: readonly string[] = [...TRAINER_CAN.methods, ...TRAINER_CAN.image_methods];
    expect(RECIPE_METHODS.filter((method) => whyUnavailable(method) === null)).toEqual(
      RECIPE_METHODS.filter((method) => able.includes(method)),
    );
    expect(whyUnavailable('qlora')).toMatch(/does not do QLoRA yet: use LoRA or DoRA/);
  });

  test('under a template’s changes keep what it does not name', () => {
    expect(withOverrides('dora', { rank: 8, alpha: undefined })).toEqual({ ...builtInRecipe('dora')?.defaults, rank: 8 });
  });
});

test('what the trainer is said to do is within what its configuration can say', () => {
  expect(TRAINER_METHODS).toEqual(expect.arrayContaining([...TRAINER_CAN.methods]));
  expect(IMAGE_TRAINER_METHODS).toEqual(expect.arrayContaining([...TRAINER_CAN.image_methods]));
  expect(TRAINER_STRATEGIES).toEqual(expect.arrayContaining([...TRAINER_CAN.strategies]));
  expect(TRAINER_EXPORTS).toEqual([...TRAINER_CAN.exports]);
  expect(lacking(['gguf', 'safetensors', 'onnx'], TRAINER_CAN.exports)).toEqual(['gguf', 'onnx']);
  expect(EXPORT_FORMATS).toEqual(expect.arrayContaining([...TRAINER_CAN.exports]));
});
