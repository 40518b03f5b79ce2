/** Brings what trainings drew into storage, beside them and after them: a storage that is away holds up no training. */
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '#/domain/app-error.ts';
import {
  isPngOf,
  PNG_HEAD_BYTES,
  PNG_TAIL_BYTES,
  SAMPLE_IMAGE_BYTES_MAX,
  type SampleImageRefusal,
  sampleImageFile,
} from '#/domain/sample-images.ts';
import { type PendingSampleImage, pendingSampleImages, settleSampleImage } from '#/services/jobs/keep-sample-images.ts';
import { checkDisk } from '#/services/storage/reserve-space.ts';
import { storage } from '#/storage/connect-storage.ts';
import { isAbsent } from '#/storage/disk-error.ts';
import { openFileBeneath } from '#/storage/open-beneath.ts';
import { outputFolder } from './run-directory.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Stores the next picture of each job that has some; false when none is left, or none can be stored now. */
export async function keepSampleImages(parts: Pick<WorkerParts, 'worker_id' | 'stopping' | 'log'>): Promise<boolean> {
  const images = await pendingSampleImages(parts.worker_id);
  for (const image of images) {
    if (parts.stopping.aborted) return false;
    try {
      const refusal = await settleSampleImage(image, await store(image));
      if (refusal !== null) await storage().removeFile(image.user_id, image.job_id, sampleImageFile(image.seq));
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'storage_full')) throw error;
      parts.log.warn({ job_id: image.job_id }, 'the disk is full: the picture of a sample waits');
      return false;
    }
  }
  return images.length > 0;
}

/** Stores the picture; why not, where it is not what its trainer said. Done again after a crash it replaces itself. */
async function store({ user_id, job_id, seq, attempt, told }: PendingSampleImage): Promise<SampleImageRefusal | null> {
  let file: FileHandle;
  try {
    file = await openFileBeneath(outputFolder(job_id, attempt), told.path);
  } catch (error) {
    if (isAbsent(error)) return 'missing';
    throw error;
  }
  try {
    const facts = await file.stat();
    // A second name may lie anywhere on this disk: see published-folder.ts.
    if (facts.size !== told.bytes || facts.nlink > 1) return 'changed';
    if (told.bytes === 0) return 'no_picture';
    await checkDisk(told.bytes);
    const ends = { head: Buffer.alloc(0), tail: Buffer.alloc(0) };
    const source = watchEnds(file.createReadStream({ start: 0, end: told.bytes - 1, autoClose: false }), ends);
    const { sha256 } = await storage().add(user_id, job_id, sampleImageFile(seq), source, SAMPLE_IMAGE_BYTES_MAX);
    if (sha256 !== told.sha256) return 'changed';
    return isPngOf(ends.head, ends.tail, told) ? null : 'no_picture';
  } finally {
    await file.close();
  }
}

/** Passes bytes on and notes how they begin and end: what was stored is judged, whatever becomes of the file meanwhile. */
async function* watchEnds(source: AsyncIterable<Buffer>, ends: { head: Buffer; tail: Buffer }): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    if (ends.head.length < PNG_HEAD_BYTES) ends.head = Buffer.concat([ends.head, chunk.subarray(0, PNG_HEAD_BYTES)]);
    ends.tail = Buffer.concat([ends.tail, chunk.subarray(-PNG_TAIL_BYTES)]).subarray(-PNG_TAIL_BYTES);
    yield chunk;
  }
}
