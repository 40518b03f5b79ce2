/** A dataset's facts in a person's words. */
import { IMAGES_FORMAT } from '#/domain/image-report.ts';
import type { DatasetStatus } from '#/domain/statuses.ts';
import type { DATASET_SHAPES } from '#/domain/trainer-config.ts';

export const DATASET_STATUS_WORDS: Record<DatasetStatus, string> = {
  uploading: 'Uploading',
  validating: 'Being checked',
  ready: 'Ready',
  error: 'Needs attention',
};

const SHAPE_WORDS: Record<(typeof DATASET_SHAPES)[number], string> = {
  chat: 'Chat messages',
  sharegpt: 'ShareGPT conversations',
  alpaca: 'Instruction and output',
  prompt_completion: 'Prompt and completion',
  text: 'Plain text',
};

export function shapeWords(format: string | null): string {
  if (format === IMAGES_FORMAT) return 'Pictures';
  return format === null ? 'Not recognised' : (SHAPE_WORDS[format as keyof typeof SHAPE_WORDS] ?? format);
}

/** Why a row is refused, as a heading over its count. */
export function reasonWords(code: string): string {
  const words = code.replaceAll('_', ' ').replace('json', 'JSON');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
