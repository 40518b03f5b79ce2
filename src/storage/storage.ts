/** Where the bytes of datasets, fetched models and artifacts lie, whatever keeps them. storage.test.ts has what every such thing promises. */
import type { Readable } from 'node:stream';

/** Owner of what everybody may read: fetched base models. All else is owned by a user's id. */
export const SHARED_OWNER = 'shared';

export interface StoredFile {
  /** SHA-256 of the bytes, hex. */
  sha256: string;
  bytes: number;
}

/** One file of a published folder. `id` is what a client names it by: never its path. */
export interface PublishedFile extends StoredFile {
  id: string;
  /** Relative to the folder, with `/` between its parts. */
  path: string;
}

/** First and last byte, both included. */
export interface ByteRange {
  first: number;
  last: number;
}

export interface OpenedFile {
  /** Size of the whole file, whatever range is read. */
  bytes: number;
  stream: Readable;
}

export interface StoredResource {
  owner: string;
  resource_id: string;
  modified_at: Date;
}

/**
 * Every resource is one folder `{owner}/{resource_id}`; its files are whole or absent. Verbs throw `storage_full` when
 * the disk is, `payload_too_large` when a source gives more than its limit, `not_found` for a file that is not there, and
 * `storage_unavailable` when a storage elsewhere does not answer, or not to us.
 */
export interface Storage {
  /** Stores one streamed file: staged, hashed while written, synced, renamed. Nothing is left of a source that fails. */
  receive(
    owner: string,
    resource_id: string,
    name: string,
    source: AsyncIterable<Uint8Array>,
    bytes_max: number,
  ): Promise<StoredFile>;
  /** Stores one more streamed file in the same way, beside what the resource has; one of its name is replaced. */
  add(
    owner: string,
    resource_id: string,
    name: string,
    source: AsyncIterable<Uint8Array>,
    bytes_max: number,
  ): Promise<StoredFile>;
  /** Removes one received file of a resource; one that is not there is no error. */
  removeFile(owner: string, resource_id: string, name: string): Promise<void>;
  /**
   * Stores a copy of a folder at once, so that it is there whole or not at all. Only regular files with one plain name
   * come along; a link (hard ones, too), a device or an odd name among them is refused with `conflict`. A second call with the same content answers with the first one's ids,
   * so a kill between publishing and recording is repaired by doing both again.
   */
  publishFolder(owner: string, resource_id: string, source_dir: string, signal?: AbortSignal): Promise<PublishedFile[]>;
  /** As `publishFolder`, for a folder of `stagingFolder`: it is moved, not copied. */
  publishStaged(owner: string, resource_id: string, staged_dir: string): Promise<PublishedFile[]>;
  /** The published folder's files as its manifest lists them; null when nothing was published there. */
  published(owner: string, resource_id: string): Promise<PublishedFile[] | null>;
  /**
   * Opens a file for a reader, whole or in part. The range must lie within the file. Readers, however slow, hold up nothing
   * but each other. Rejects with an AbortError when `signal` comes first; what is open by then is its reader's to destroy.
   */
  open(owner: string, resource_id: string, path: string, range?: ByteRange, signal?: AbortSignal): Promise<OpenedFile>;
  /**
   * An address at which whoever has it gets a file for a minute, sent with this Content-Disposition; null where files are
   * sent by us alone.
   */
  signedUrl(owner: string, resource_id: string, path: string, content_disposition: string): Promise<string | null>;
  /**
   * Absolute path of a stored file on this machine, for a program that reads files itself: where it lies, or a copy in
   * `scratch`, a folder that the caller removes. A copy with another SHA-256 than `expected` is refused with `conflict`.
   */
  fileOnDisk(
    owner: string,
    resource_id: string,
    path: string,
    expected: string,
    scratch: string,
    signal?: AbortSignal,
  ): Promise<string>;
  /** Absolute path of a published folder on this machine: where it lies, or a whole copy that is kept until it is removed. */
  folderOnDisk(owner: string, resource_id: string, signal?: AbortSignal): Promise<string>;
  /** A folder that outlives a crash, for downloads that resume. Left alone for a day, it is collected. */
  stagingFolder(name: string): Promise<string>;
  removeStaging(name: string): Promise<void>;
  /** Removes a resource with all its files; one that is not there is no error. */
  remove(owner: string, resource_id: string): Promise<void>;
  /** Every stored resource, for garbage collection. */
  resources(): AsyncIterable<StoredResource>;
  /** Removes staged leftovers older than this; answers how many. */
  collectStaging(older_than_ms: number): Promise<number>;
  /** Bytes that this machine's disk still takes, which stages and copies go to; null where that has no meaning. */
  freeBytes(): Promise<number | null>;
}

/** The key of a resource, as rows and the wire have it. */
export function storageKey(owner: string, resource_id: string): string {
  return `${owner}/${resource_id}`;
}
