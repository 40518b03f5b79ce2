import { randomUUID } from 'node:crypto';
import { and, eq, isNull, ne, or, sql } from 'drizzle-orm';
import { datasets } from '#/db/schema/datasets.ts';
import { asUser, type Tx } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import { nameFromFile, type UploadOptions } from '#/domain/dataset-options.ts';
import type { Context } from '#/services/context.ts';
import { checkDisk, quotaExceeded, reserveQuota, storageUsage } from '#/services/storage/reserve-space.ts';
import { storage } from '#/storage/connect-storage.ts';
import { type StoredFile, storageKey } from '#/storage/storage.ts';
import { DATASET_FILE, type DatasetRow, findDataset } from './dataset-row.ts';

/** How long an upload is believed without a sign; renewed while bytes come. */
const LEASE = sql`clock_timestamp() + interval '2 minutes'`;
const RENEW_MS = 30_000;

export interface Upload {
  options: UploadOptions;
  content: AsyncIterable<Uint8Array>;
  /** What the sender says the length is, or an upper bound of it; null when it does not say. */
  declared_bytes: number | null;
  /** What stood behind the content may change the options: asked once all of it is there. */
  lastOptions?: () => Promise<UploadOptions>;
  /** Told the SHA-256 (hex) of the content once all of it is there, before the hooks that store it. */
  onReceived?: (sha256: string) => void;
}

/** Run in the transactions that begin and store the dataset, so that a request told twice makes one. */
export interface UploadHooks {
  /** Runs before the first byte is read. `isUnderWay` says of another dataset whether its file still arrives. */
  hold?: (tx: Tx, dataset_id: string, isUnderWay: (tx: Tx, other_id: string) => Promise<boolean>) => Promise<void>;
  /** Runs where nothing comes of what was held. */
  release?: (tx: Tx, dataset_id: string) => Promise<void>;
  /** Runs first of what stores it; a dataset id that it returns is answered instead of a new dataset. */
  before?: (tx: Tx) => Promise<string | null>;
  /** Runs last, once the dataset is stored. */
  after?: (tx: Tx, dataset_id: string) => Promise<void>;
}

export interface UploadedDataset {
  dataset: DatasetRow;
  /** Another dataset of the same user with the same bytes. */
  duplicate_of: { id: string; name: string } | null;
}

/**
 * Takes a dataset's file as a stream and leaves it for its check. Of an upload that breaks off nothing stays. Throws
 * `invalid_request` (empty file), `payload_too_large`, `quota_exceeded` and `storage_full`.
 */
export async function uploadDataset(ctx: Context, upload: Upload, hooks: UploadHooks = {}): Promise<UploadedDataset> {
  const { declared_bytes } = upload;
  if (declared_bytes === 0) throw emptyFile();
  if (declared_bytes !== null && declared_bytes > DATASET_BYTES_MAX) throw datasetTooLarge();
  await checkDisk(declared_bytes ?? 0);
  const id = randomUUID();
  const reserved = await asUser(ctx.user_id, async (tx) => {
    await hooks.hold?.(tx, id, isArriving);
    const bytes = await reserveQuota(tx, ctx.user_id, declared_bytes, DATASET_BYTES_MAX);
    await tx.insert(datasets).values({
      id,
      user_id: ctx.user_id,
      ...columnsOf(upload.options),
      file_size: bytes,
      status: 'uploading',
      lease_until: LEASE,
    });
    return bytes;
  });
  const renewal = setInterval(() => void renew(ctx, id), RENEW_MS);
  try {
    const head: Head = { bytes: Buffer.alloc(0) };
    const file = await receive(ctx, id, noting(head, upload.content), reserved);
    const options = (await upload.lastOptions?.()) ?? upload.options;
    upload.onReceived?.(file.sha256);
    const uploaded = await settle(ctx, id, options, { ...file, is_zip: isZip(head) }, hooks);
    if (uploaded.dataset.id !== id) await forget(ctx, id, hooks);
    return uploaded;
  } catch (error) {
    await forget(ctx, id, hooks);
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

interface Head {
  /** The first bytes of a file, enough to tell an archive of images from rows. */
  bytes: Buffer;
}

const HEAD_BYTES = 4;

async function* noting(head: Head, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    if (head.bytes.length < HEAD_BYTES)
      head.bytes = Buffer.concat([head.bytes, chunk.subarray(0, HEAD_BYTES - head.bytes.length)]);
    yield chunk;
  }
}

/** A file's first record or, of an empty archive, its last: APPNOTE.TXT of PKWARE, 4.3.7 and 4.3.16. */
const isZip = ({ bytes }: Head): boolean => ['PK\x03\x04', 'PK\x05\x06'].includes(bytes.toString('latin1'));

function columnsOf(options: UploadOptions) {
  return {
    name: options.name ?? nameFromFile(options.file_name),
    description: options.description,
    file_name: options.file_name,
    mapping: options.mapping,
    invalid_rows: options.invalid_rows,
    metadata: { requested_format: options.format },
  };
}

async function receive(ctx: Context, id: string, content: AsyncIterable<Uint8Array>, reserved: number): Promise<StoredFile> {
  try {
    const file = await storage().receive(ctx.user_id, id, DATASET_FILE, content, reserved);
    if (file.bytes === 0) throw emptyFile();
    return file;
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'payload_too_large')) throw error;
    if (reserved >= DATASET_BYTES_MAX) throw datasetTooLarge();
    const usage = await asUser(ctx.user_id, (tx) => storageUsage(tx, ctx.user_id));
    // What this upload reserved is not used: it is what the file outgrew.
    throw quotaExceeded({ ...usage, bytes: Math.max(0, usage.bytes - reserved) }, null);
  }
}

function settle(
  ctx: Context,
  id: string,
  options: UploadOptions,
  file: StoredFile & { is_zip: boolean },
  hooks: UploadHooks,
): Promise<UploadedDataset> {
  return asUser(ctx.user_id, async (tx) => {
    const known = await hooks.before?.(tx);
    if (known != null) return { dataset: await findDataset(tx, ctx.user_id, known), duplicate_of: null };
    const [dataset] = await tx
      .update(datasets)
      .set({
        ...columnsOf(options),
        modality: file.is_zip ? 'image' : 'text',
        status: 'validating',
        storage_path: storageKey(ctx.user_id, id),
        file_size: file.bytes,
        checksum: file.sha256,
        lease_until: null,
      })
      .where(and(eq(datasets.id, id), eq(datasets.status, 'uploading'), isNull(datasets.deleted_at)))
      .returning();
    if (dataset === undefined) throw new AppError('conflict', 'The dataset was deleted while its file was still arriving');
    const [twin] = await tx
      .select({ id: datasets.id, name: datasets.name })
      .from(datasets)
      .where(
        and(
          or(eq(datasets.checksum, file.sha256), eq(datasets.received_checksum, file.sha256)),
          eq(datasets.user_id, ctx.user_id),
          ne(datasets.id, id),
          isNull(datasets.deleted_at),
        ),
      )
      .orderBy(datasets.created_at)
      .limit(1);
    await hooks.after?.(tx, id);
    return { dataset, duplicate_of: twin ?? null };
  });
}

/** Whether somebody still sends the file of a dataset. */
async function isArriving(tx: Tx, id: string): Promise<boolean> {
  const arriving = and(eq(datasets.id, id), eq(datasets.status, 'uploading'), sql`lease_until > clock_timestamp()`);
  const [row] = await tx.select({ id: datasets.id }).from(datasets).where(arriving);
  return row !== undefined;
}

/** A lease that runs out gives way to the collection of what crashed and to the same request: a missed renewal is made up by the next. */
async function renew(ctx: Context, id: string): Promise<void> {
  await asUser(ctx.user_id, (tx) =>
    tx
      .update(datasets)
      .set({ lease_until: LEASE })
      .where(and(eq(datasets.id, id), eq(datasets.status, 'uploading'))),
  ).catch(() => undefined);
}

/**
 * Removes what an upload left, unless its row says that it is more than an upload: an answer can be lost after its
 * commit. Without a row its person is gone, and so is the file. What cannot be told now (no database, no storage) is
 * collected later.
 */
async function forget(ctx: Context, id: string, hooks: UploadHooks): Promise<void> {
  const is_left = await asUser(ctx.user_id, async (tx) => {
    await hooks.release?.(tx, id);
    const ended = await tx
      .update(datasets)
      .set({ status: 'error', deleted_at: sql`now()`, purged_at: sql`now()`, storage_path: null, lease_until: null })
      .where(and(eq(datasets.id, id), eq(datasets.status, 'uploading')))
      .returning({ id: datasets.id });
    return ended.length > 0 || (await tx.select({ id: datasets.id }).from(datasets).where(eq(datasets.id, id))).length === 0;
  }).catch(() => false);
  if (!is_left) return;
  await storage()
    .remove(ctx.user_id, id)
    .catch((error: unknown) => {
      if (!(error instanceof AppError && error.code === 'storage_unavailable')) throw error;
    });
}

function emptyFile(): AppError {
  const message = 'is empty: send the rows as JSON lines or as one JSON array, or a zip of pictures';
  return new AppError('invalid_request', `The file ${message}`, [{ path: 'file', message, code: 'empty' }]);
}

/** The refusal of a file that is larger than any dataset may be. */
export function datasetTooLarge(): AppError {
  const message = `is larger than ${formatBytes(DATASET_BYTES_MAX)}, the most that one dataset may have: split it or leave rows out`;
  return new AppError('payload_too_large', `The file ${message}`, [{ path: 'file', message, code: 'file_too_large' }]);
}
