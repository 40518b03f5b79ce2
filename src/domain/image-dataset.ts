/** What of a dataset of images the planner counts with, read from its report and its metadata. */
import * as z from 'zod';
import { IMAGE_PROMPT_RULE, ImagePrompt } from './image-wishes.ts';
import { MetadataChanges } from './labels.ts';

export interface ImageDatasetFacts {
  /** What an epoch takes: each image as often as its repeats say. */
  samples: number;
  images: number;
  /** Images of the subject's class, brought along for prior preservation. */
  class_images: number;
  /** Images that have a caption. */
  captioned: number;
  /** Samples of each aspect bucket, by the resolution that they are for; empty where nobody counted. */
  buckets: Readonly<Record<string, readonly number[]>>;
  /** Pixels of the short side: of the smallest image and of the middle one; null where nobody measured. */
  short_side: { min: number; median: number } | null;
  /** `class_prompt` of its metadata; null, too, where a row of before the rule has one that is no prompt. */
  class_prompt: string | null;
}

/** What a PATCH sets of a dataset's metadata: of it `class_prompt` alone is read here, so one that is no prompt is refused. */
export const DatasetMetadataChanges = MetadataChanges.superRefine(({ class_prompt = null }, context) => {
  if (class_prompt !== null && !ImagePrompt.safeParse(class_prompt).success)
    context.addIssue({ code: 'custom', path: ['class_prompt'], message: `must be ${IMAGE_PROMPT_RULE}; null takes it away` });
});

const count = z.int().min(0);
const Report = z.object({
  images: count.optional().catch(undefined),
  class_images: count.catch(0),
  captions: z.object({ with: count }).catch({ with: 0 }),
  buckets: z.record(z.string(), z.array(z.object({ samples: count }))).catch({}),
  sides: z.object({ short: z.object({ min: count, median: z.number() }).nullable() }).catch({ short: null }),
});

/** `samples`: the row's own count of what an epoch takes. */
export function imageDatasetFacts(row: {
  total_training_pairs: number | null;
  statistics: Record<string, unknown>;
  metadata: Record<string, unknown>;
}): ImageDatasetFacts {
  const report = Report.parse(row.statistics);
  const samples = row.total_training_pairs ?? 0;
  return {
    samples,
    images: report.images ?? samples,
    class_images: report.class_images,
    captioned: report.captions.with,
    buckets: Object.fromEntries(
      Object.entries(report.buckets).map(([resolution, all]) => [resolution, all.map((bucket) => bucket.samples)]),
    ),
    short_side: report.sides.short,
    class_prompt: ImagePrompt.safeParse(row.metadata.class_prompt).data?.trim() ?? null,
  };
}
