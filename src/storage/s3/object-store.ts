/** Objects on an S3 server: the one file that knows its library, which is loaded when it is first needed. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { DOWNLOADS_MAX } from '#/domain/constants.ts';
import type { ByteRange, OpenedFile, StoredFile } from '../storage.ts';
import { putObject } from './put-object.ts';
import { asS3Error, s3Code, s3Status } from './s3-error.ts';
import type { S3Options } from './s3-options.ts';

const CONNECT_WITHIN_MS = 5_000;
/** A server, or a reader of ours, that is silent for so long has gone. */
const IDLE_MS = 60_000;
const TRIES = 4;
/** For all work of ours. Readers have as many of their own as there may be downloads. */
const SOCKETS_MAX = 64;
/** A download begins at once; what was deleted meanwhile must not be had for long. */
const SIGNED_FOR_S = 60;

export interface StoredObject {
  key: string;
  modified_at: Date;
}

export interface UnfinishedUpload {
  key: string;
  upload_id: string;
  began_at: Date;
}

export interface ObjectStore {
  put(
    bucket: string,
    key: string,
    source: AsyncIterable<Uint8Array>,
    bytes_max: number,
    signal?: AbortSignal,
  ): Promise<StoredFile>;
  /** Throws `not_found`. */
  get(bucket: string, key: string, range?: ByteRange, signal?: AbortSignal): Promise<OpenedFile>;
  /** As `get`, by connections that nothing but readers waits for. */
  getForReader(bucket: string, key: string, range?: ByteRange, signal?: AbortSignal): Promise<OpenedFile>;
  /** One that is not there is no error. */
  remove(bucket: string, key: string): Promise<void>;
  list(bucket: string, prefix: string): AsyncIterable<StoredObject>;
  /** Uploads that were begun and neither completed nor given up; nothing where the server does not tell. */
  unfinished(bucket: string): AsyncIterable<UnfinishedUpload>;
  giveUp(bucket: string, key: string, upload_id: string): Promise<void>;
  /** Where whoever has the address gets the object for a minute; null when browsers do not reach the server. */
  signedUrl(bucket: string, key: string, content_disposition: string): Promise<string | null>;
  /** Lists one object, to see if the bucket is there for us. Throws the library's own error. */
  look(bucket: string): Promise<void>;
}

function connect(options: S3Options, endpoint: string, sockets_max: number, lookup: LookupFunction | undefined): S3Client {
  const agent = { keepAlive: true, maxSockets: sockets_max, ...(lookup !== undefined && { lookup }) };
  const checked = options.checksums ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  return new S3Client({
    endpoint,
    region: options.region,
    credentials: { accessKeyId: options.access_key_id, secretAccessKey: options.secret_access_key },
    forcePathStyle: options.path_style,
    requestChecksumCalculation: checked,
    responseChecksumValidation: checked,
    maxAttempts: TRIES,
    retryMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    followRegionRedirects: false,
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      socketTimeout: IDLE_MS,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    },
  });
}

/** `lookup` finds the addresses of hosts in the system's place. */
export function objectStore(options: S3Options, lookup?: LookupFunction): ObjectStore {
  const client = connect(options, options.endpoint, SOCKETS_MAX, lookup);
  const readers = connect(options, options.endpoint, DOWNLOADS_MAX, lookup);
  const outside = options.public_endpoint === null ? null : connect(options, options.public_endpoint, SOCKETS_MAX, lookup);
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw asS3Error(error);
    }
  };
  const getBy =
    (by: S3Client): ObjectStore['get'] =>
    (bucket, key, range, signal) =>
      asked(async () => {
        const command = new GetObjectCommand({
          Bucket: bucket,
          Key: key,
          ...(range !== undefined && { Range: `bytes=${range.first}-${range.last}` }),
        });
        const answer = await by.send(command, { abortSignal: signal });
        const total = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1];
        const stream = answer.Body as Readable;
        if (range !== undefined && total === undefined) {
          stream.destroy();
          throw new Error('The storage answered with a whole file where a part was asked for');
        }
        return { bytes: Number(total ?? answer.ContentLength), stream };
      });
  return {
    put: (bucket, key, source, bytes_max, signal) =>
      putObject({ client, bucket, key, checksums: options.checksums, signal }, source, bytes_max),

    get: getBy(client),
    getForReader: getBy(readers),

    remove: (bucket, key) =>
      asked(async () => {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
      }),

    async *list(bucket, prefix) {
      let token: string | undefined;
      do {
        const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
        const page = await asked(() => client.send(command));
        for (const { Key, LastModified } of page.Contents ?? [])
          if (Key !== undefined) yield { key: Key, modified_at: LastModified ?? new Date() };
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },

    async *unfinished(bucket) {
      let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
      while (after !== undefined) {
        const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({ Bucket: bucket, ...after });
        const page = await client.send(command).catch((error: unknown) => {
          if (s3Status(error) === 501 || s3Code(error) === 'MethodNotAllowed') return null;
          throw asS3Error(error);
        });
        for (const { Key, UploadId, Initiated } of page?.Uploads ?? [])
          if (Key !== undefined && UploadId !== undefined)
            yield { key: Key, upload_id: UploadId, began_at: Initiated ?? new Date() };
        after = page?.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
      }
    },

    giveUp: (bucket, key, upload_id) =>
      asked(async () => {
        await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: upload_id }));
      }),

    async signedUrl(bucket, key, content_disposition) {
      if (outside === null) return null;
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ResponseContentDisposition: content_disposition,
        ResponseContentType: 'application/octet-stream',
        ResponseCacheControl: 'private, no-store',
      });
      return getSignedUrl(outside, command, { expiresIn: SIGNED_FOR_S });
    },

    async look(bucket) {
      await client.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }));
    },
  };
}
