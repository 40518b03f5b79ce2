import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { AppError } from '#/domain/app-error.ts';
import { asStorageError } from '../disk-error.ts';
import type { StoredFile } from '../storage.ts';
import { asS3Error, s3Code } from './s3-error.ts';

/** At most two of them are in memory: one on its way and one that fills. 10,000 of them make a file. */
const PART_BYTES = 8 * 1024 * 1024;

interface Target {
  client: S3Client;
  bucket: string;
  key: string;
  checksums: boolean;
  signal: AbortSignal | undefined;
}

/**
 * Stores a stream as one object, hashed on the way: at once when it is small, in parts otherwise. The object is there whole or
 * not at all, and of parts nothing is left where the server can be told. Throws `payload_too_large` past `bytes_max`.
 */
export async function putObject(target: Target, source: AsyncIterable<Uint8Array>, bytes_max: number): Promise<StoredFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  let failed: { error: unknown } | null = null;
  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source) {
        bytes += chunk.byteLength;
        if (bytes > bytes_max)
          throw new AppError('payload_too_large', `The file is larger than ${bytes_max} bytes, the most that is taken here`);
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      failed = { error };
      throw error;
    }
  }
  const parts = partsOf(counted());
  try {
    const first = await parts.next();
    const second = first.done ? first : await parts.next();
    if (first.done || second.done) await putWhole(target, first.value ?? Buffer.alloc(0));
    else await putParts(target, [first.value, second.value], parts, () => bytes);
  } catch (error) {
    await parts.return(undefined);
    // What the sender did is told as it is: its broken connection is not the server's.
    const own = failed as { error: unknown } | null;
    throw own === null ? asS3Error(error) : asStorageError(own.error);
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Chunks in pieces of `PART_BYTES`; the last one may be smaller. Chunks are copied: their owner may use them again. */
async function* partsOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, undefined> {
  let part = Buffer.allocUnsafe(PART_BYTES);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.byteLength; ) {
      const taken = Math.min(chunk.byteLength - at, PART_BYTES - filled);
      part.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < PART_BYTES) continue;
      yield part;
      part = Buffer.allocUnsafe(PART_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

async function putWhole({ client, bucket, key, signal }: Target, body: Buffer): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }), { abortSignal: signal });
}

async function putParts(
  { client, bucket, key, checksums, signal }: Target,
  known: Buffer[],
  rest: AsyncGenerator<Buffer, undefined>,
  bytes: () => number,
): Promise<void> {
  const place = { Bucket: bucket, Key: key };
  const algorithm = checksums ? { ChecksumAlgorithm: 'CRC32' as const } : {};
  const options = { abortSignal: signal };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...place, ...algorithm }), options);
  const done: CompletedPart[] = [];
  const send = async (Body: Buffer, PartNumber: number): Promise<void> => {
    const { ETag, ChecksumCRC32 } = await client.send(
      new UploadPartCommand({ ...place, ...algorithm, UploadId, PartNumber, Body }),
      options,
    );
    done.push({ PartNumber, ETag, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) });
  };
  let sending: Promise<void> = Promise.resolve();
  try {
    let number = 0;
    for (const part of known) await send(part, ++number);
    for await (const part of rest) {
      await sending;
      sending = send(part, ++number);
      // Looked at when the next part is full: until then a failure is nobody's.
      sending.catch(() => undefined);
    }
    await sending;
    const complete = new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload: { Parts: done } });
    await client.send(complete, options).catch(async (error: unknown) => {
      // An answer that was lost: asked again, the server knows the upload no more, for the object is there.
      if (s3Code(error) !== 'NoSuchUpload') throw error;
      const { ContentLength } = await client.send(new HeadObjectCommand(place), options);
      if (ContentLength !== bytes()) throw error;
    });
  } catch (error) {
    await sending.catch(() => undefined);
    await client.send(new AbortMultipartUploadCommand({ ...place, UploadId })).catch(() => undefined);
    throw error;
  }
}
