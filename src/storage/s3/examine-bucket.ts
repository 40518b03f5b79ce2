import { randomUUID } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { AppError } from '#/domain/app-error.ts';
import { oneChunk } from '../published-folder.ts';
import { objectStore } from './object-store.ts';
import { isFromS3, s3Code, s3Status } from './s3-error.ts';
import type { S3Options } from './s3-options.ts';

const ANSWER_WITHIN_MS = 10_000;
/** Beside the folders of people, where nothing of theirs can be. */
const PROBE_FOLDER = '.lowrank-doctor';

type Step = 'write objects' | 'read objects' | 'delete objects' | 'list unfinished uploads';

/** The server's code and status: both null when there was no answer, the code alone when no S3 server gave it. */
export interface Refusal {
  code: string | null;
  status: number | null;
  words: string;
}

/** What a bucket is like for us and for somebody without a key. */
export interface BucketFacts {
  bucket: string;
  /** Why it cannot be listed. Null: it can. */
  refused: Refusal | null;
  /** What our key may not do there; null when it may do all. Not tried in a bucket that refuses. */
  failed: { step: Step; words: string } | null;
  /** Somebody without a key got that object. */
  is_public: boolean;
  /** This machine's clock against the server's, in milliseconds; null when it told none. */
  clock_ahead_ms: number | null;
}

/** What is known of a bucket by listing an object of it: nothing is written. */
export async function lookAtBucket(options: S3Options, bucket: string, lookup?: LookupFunction): Promise<BucketFacts> {
  const refused = await objectStore(options, lookup)
    .look(bucket)
    .then(
      () => null,
      (error: unknown): Refusal => {
        const status = s3Status(error);
        return { code: isFromS3(error) ? s3Code(error) : null, status, words: wordsOf(error) };
      },
    );
  return { bucket, refused, failed: null, is_public: false, clock_ahead_ms: null };
}

/** Writes, reads and deletes an object in a bucket, and asks for it without a key. Nothing is left of it. */
export async function examineBucket(options: S3Options, bucket: string, lookup?: LookupFunction): Promise<BucketFacts> {
  const facts = await lookAtBucket(options, bucket, lookup);
  if (facts.refused !== null) return facts;
  const store = objectStore(options, lookup);
  const key = `${PROBE_FOLDER}/${randomUUID()}`;
  const content = `lowrank doctor ${key}`;
  let step: Step = 'write objects';
  try {
    await store.put(bucket, key, oneChunk(Buffer.from(content)), 1000);
    try {
      step = 'read objects';
      const { stream } = await store.get(bucket, key);
      if ((await text(stream)) !== content) throw new Error('another content came back');
      for (const url of addressesOf(options, bucket, key)) {
        // An address at which nobody answers gives nothing away.
        const answer = await askWithoutKey(url, lookup).catch(() => null);
        facts.is_public ||= answer?.text === content;
        facts.clock_ahead_ms ??= answer?.clock_ahead_ms ?? null;
      }
    } finally {
      const before = step;
      step = 'delete objects';
      await store.remove(bucket, key);
      step = before;
    }
    step = 'list unfinished uploads';
    for await (const _ of store.unfinished(bucket)) break;
  } catch (error) {
    facts.failed = { step, words: wordsOf(error) };
  }
  return facts;
}

/** Where an object would be for everybody. Supabase Storage has public objects beside its S3 address. */
function addressesOf({ endpoint, path_style }: S3Options, bucket: string, key: string): URL[] {
  const url = new URL(endpoint);
  const base = url.pathname.replace(/\/+$/, '');
  const place = new URL(endpoint);
  if (path_style) place.pathname = `${base}/${bucket}/${key}`;
  else {
    place.hostname = `${bucket}.${url.hostname}`;
    place.pathname = `${base}/${key}`;
  }
  if (!base.endsWith('/storage/v1/s3')) return [place];
  return [place, new URL(`${url.origin}${base.replace(/s3$/, 'object/public')}/${bucket}/${key}`)];
}

/** Redirects are not followed. */
function askWithoutKey(url: URL, lookup?: LookupFunction): Promise<{ text: string; clock_ahead_ms: number | null }> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const options = { agent: false, signal: AbortSignal.timeout(ANSWER_WITHIN_MS), ...(lookup !== undefined && { lookup }) };
    send(url, options, (answer) => {
      const told = Date.parse(answer.headers.date ?? '');
      const clock_ahead_ms = Number.isNaN(told) ? null : Date.now() - told;
      text(answer).then((text) => resolve({ text, clock_ahead_ms }), reject);
    })
      .on('error', reject)
      .end();
  });
}

function wordsOf(error: unknown): string {
  const told = error instanceof AppError && error.cause instanceof Error ? error.cause : error;
  if (told instanceof AggregateError)
    return told.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  return told instanceof Error ? told.message || told.name : String(told);
}
