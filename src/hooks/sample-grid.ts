/** The samples of a job as a grid: a row of each prompt, a column of each step. */
import type { TrainingSample } from '#/contract/job-outputs.ts';

export interface SampleRow {
  key: string;
  prompt: string;
  /** What its pictures are drawn on; null of texts. */
  seed: number | null;
  /** By the grid's steps; null where none was made. */
  cells: (TrainingSample | null)[];
}

export interface SampleGrid {
  steps: number[];
  rows: SampleRow[];
}

const isThere = ({ text, image_url }: TrainingSample) => text !== null || image_url !== null;

/** Prompts in the order in which they first came. Of a step that was gone through twice the newest sample counts that is there. */
export function sampleGrid(samples: readonly TrainingSample[]): SampleGrid {
  const steps = [...new Set(samples.map(({ step }) => step))].sort((a, b) => a - b);
  // The same prompt on another seed is another picture.
  const rows = Map.groupBy(samples, ({ prompt, seed }) => `${seed} ${prompt}`);
  return {
    steps,
    rows: [...rows].map(([key, of_row]) => {
      const by_step = new Map<number, TrainingSample>();
      for (const sample of of_row) {
        const before = by_step.get(sample.step);
        if (before === undefined || isThere(sample) || !isThere(before)) by_step.set(sample.step, sample);
      }
      const { prompt = '', seed = null } = of_row[0] ?? {};
      return { key, prompt, seed, cells: steps.map((step) => by_step.get(step) ?? null) };
    }),
  };
}
