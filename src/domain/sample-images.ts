/** Pictures that a training draws of its sample prompts: which of them are kept, and why others are not. */
import { formatBytes, MB } from './bytes.ts';
import { RESOLUTION_MAX } from './image-trainer-config.ts';

/** What an uncompressed picture of the widest training takes (2048 × 2048 × 3 bytes), and a quarter on top for what PNG puts around it. */
export const SAMPLE_IMAGE_BYTES_MAX = 16 * MB;
/** Of one job: 16 prompts, the most that a configuration has, in 125 rounds. */
export const SAMPLE_IMAGES_MAX = 2_000;
/** A bucket of the widest training may be so long; a browser that shows it needs 64 MB. */
const SIDE_MAX = 2 * RESOLUTION_MAX;

/** pending: told by its trainer, not in storage yet. */
export const SAMPLE_IMAGE_STATUSES = ['pending', 'kept', 'refused'] as const;
export type SampleImageStatus = (typeof SAMPLE_IMAGE_STATUSES)[number];

/** Why a picture is not kept, in the words of whoever looks for it. */
export const SAMPLE_IMAGE_REFUSALS = {
  too_large: `It is larger than ${formatBytes(SAMPLE_IMAGE_BYTES_MAX)}, the most that is kept of one picture.`,
  too_many: `This job has drawn more than ${SAMPLE_IMAGES_MAX.toLocaleString('en')} pictures: the first are kept.`,
  missing: 'Its file was not there when it was to be stored.',
  changed: 'Its file is not the one that the trainer said it wrote.',
  no_picture: 'Its file is no PNG of the size that the trainer told.',
  quota_exceeded: 'It did not fit into your storage quota: delete datasets or artifacts that you no longer need.',
} as const;
export type SampleImageRefusal = keyof typeof SAMPLE_IMAGE_REFUSALS;

/** The name of a picture's file among those of its job: of a number, never of what a trainer called it. */
export const sampleImageFile = (seq: number) => `sample-${seq}.png`;

/** Signature, length and name of the first chunk, and its first two numbers: PNG specification, 5.2 and 11.2.2. */
const HEAD = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52];
/** The last chunk, whole: PNG specification, 11.2.5. What hides another file behind a picture does not end with it. */
const TAIL = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];
/** How much of a file's beginning and end `isPngOf` looks at. */
export const PNG_HEAD_BYTES = HEAD.length + 8;
export const PNG_TAIL_BYTES = TAIL.length;

/** If a file that begins and ends so is a PNG of these sides, small enough to be shown. */
export function isPngOf(head: Uint8Array, tail: Uint8Array, { width, height }: { width: number; height: number }): boolean {
  if (head.length < PNG_HEAD_BYTES || tail.length < PNG_TAIL_BYTES) return false;
  if (width > SIDE_MAX || height > SIDE_MAX) return false;
  const sides = new DataView(head.buffer, head.byteOffset + HEAD.length, 8);
  return (
    HEAD.every((byte, at) => head[at] === byte) &&
    TAIL.every((byte, at) => tail[tail.length - TAIL.length + at] === byte) &&
    sides.getUint32(0) === width &&
    sides.getUint32(4) === height
  );
}
