import { expect, test } from 'vitest';
import type { TrainingSample } from '#/contract/job-outputs.ts';
import { sampleGrid } from './sample-grid.ts';

let ids = 0;
const image = (prompt: string, step: number, more: Partial<TrainingSample> = {}): TrainingSample => ({
  id: ++ids,
  attempt: 1,
  step,
  created_at: '2026-03-01T12:00:00.000Z',
  kind: 'image',
  prompt,
  text: null,
  seed: 7,
  width: 3,
  height: 2,
  bytes: 80,
  image_url: `/pictures/${ids}`,
  not_kept: null,
  ...more,
});
const shown = (samples: TrainingSample[]) =>
  sampleGrid(samples).rows.map(({ prompt, seed, cells }) => [prompt, seed, ...cells.map((cell) => cell?.id ?? null)]);

test('has prompts in the order in which they came, and steps as numbers go', () => {
  const samples = [image('b', 0), image('a', 0, { seed: 8 }), image('b', 100), image('a', 20, { seed: 8 })];
  const [b0, a0, b100, a20] = samples.map(({ id }) => id);
  expect(sampleGrid(samples).steps).toEqual([0, 20, 100]);
  expect(shown(samples)).toEqual([
    ['b', 7, b0, null, b100],
    ['a', 8, a0, a20, null],
  ]);
  expect(sampleGrid([])).toEqual({ steps: [], rows: [] });
});

test('keeps one prompt on two seeds apart', () => {
  expect(shown([image('a', 0), image('a', 0, { seed: 8 })]).map(([prompt, seed]) => [prompt, seed])).toEqual([
    ['a', 7],
    ['a', 8],
  ]);
});

test('has the newest of a step that was gone through twice, as soon as it is there', () => {
  const first = image('a', 20);
  const on_its_way = image('a', 20, { attempt: 2, image_url: null });
  const again = image('a', 20, { attempt: 2 });
  expect(shown([first, on_its_way])).toEqual([['a', 7, first.id]]);
  expect(shown([first, again])).toEqual([['a', 7, again.id]]);
  expect(shown([on_its_way, image('a', 20, { image_url: null })])[0]?.[2]).toBe(ids);
});
