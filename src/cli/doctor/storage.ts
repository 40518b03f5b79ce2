// The buckets of an S3 server, where one keeps the files.
import { type BucketFacts, examineBucket, lookAtBucket, type Refusal } from '#/storage/s3/examine-bucket.ts';
import { type S3Options, s3Options } from '#/storage/s3/s3-options.ts';
import type { Check } from './check.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** Requests signed further off than this are refused by most servers. */
const SKEW_MAX_MS = 15 * 60_000;
/** Addresses of downloads are good for a minute, and made by this clock. */
const SKEW_SIGNED_MS = 20_000;
const TOPIC = 'storage';

/** What a bucket's variable is called. */
export type BucketVariable = 'LOWRANK_S3_DATASETS_BUCKET' | 'LOWRANK_S3_MODELS_BUCKET';

export function judgeBucket(facts: BucketFacts, variable: BucketVariable, options: S3Options): Finding[] {
  const { bucket, refused, failed, is_public, clock_ahead_ms } = facts;
  const at = `the bucket ${bucket}`;
  if (refused !== null) return [problem(TOPIC, `${at}: ${saidOf(refused, options)}`, cureOf(facts, variable, options))];
  const found: Finding[] = [];
  if (failed !== null) found.push(problem(TOPIC, `${at}: the key may not ${failed.step} (${failed.words})`, allow(bucket)));
  if (is_public)
    found.push(
      problem(
        TOPIC,
        `${at} is public: anybody can read what lies there`,
        `Make it private: at AWS block all public access, at MinIO mc anonymous set none ALIAS/${bucket}, at Supabase set it to private`,
      ),
    );
  if (clock_ahead_ms !== null && Math.abs(clock_ahead_ms) > (options.public_endpoint === null ? SKEW_MAX_MS : SKEW_SIGNED_MS)) {
    const apart = `${Math.round(Math.abs(clock_ahead_ms) / 1000)} s ${clock_ahead_ms > 0 ? 'ahead of' : 'behind'} the server's`;
    found.push(warning(TOPIC, `${at}: this machine's clock is ${apart}; signed addresses go by it`, CLOCK));
  }
  return found.length > 0 ? found : [ok(TOPIC, `${at} is there, private, and can be written, read and deleted from`)];
}

function saidOf({ code, status, words }: Refusal, { endpoint }: S3Options): string {
  if (status === null) return `no answer (${words})`;
  if (code === null) return `what answers at ${endpoint} (status ${status}) is not an S3 server, or not at this path`;
  return `${code} (${words})`;
}

const allow = (bucket: string) =>
  `Let the key of LOWRANK_S3_ACCESS_KEY_ID put, get, list and delete objects in ${bucket}, and list and abort multipart uploads`;
const CLOCK = 'Let the clock be set by the network: sudo timedatectl set-ntp true';
const ENDPOINT =
  'Set LOWRANK_S3_ENDPOINT to the whole address of its S3 API, without a bucket: http://HOST:9000 of MinIO (9001 is its pages), https://PROJECT.supabase.co/storage/v1/s3 of Supabase';

function cureOf({ bucket, refused }: BucketFacts, variable: BucketVariable, { endpoint }: S3Options): string {
  switch (refused?.code) {
    case null:
      if (refused.status !== null) return ENDPOINT;
      return `See that the server runs and is reached from here: curl -sS ${endpoint}; LOWRANK_S3_ENDPOINT names it`;
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
      return 'Set LOWRANK_S3_ACCESS_KEY_ID and LOWRANK_S3_SECRET_ACCESS_KEY to a key of this server, and LOWRANK_S3_REGION to its region';
    case 'NoSuchBucket':
      return `Make it, private: aws --endpoint-url ${endpoint} s3 mb s3://${bucket}; or name the one that you have in ${variable}`;
    case 'RequestTimeTooSkewed':
      return CLOCK;
    case 'AccessDenied':
      return allow(bucket);
    default:
      break;
  }
  const status = refused?.status ?? 0;
  if (status >= 300 && status < 400)
    return 'The bucket lies elsewhere: set LOWRANK_S3_ENDPOINT and LOWRANK_S3_REGION to its own region';
  return `See docs/storage.md: LOWRANK_S3_ENDPOINT, LOWRANK_S3_REGION and LOWRANK_S3_PATH_STYLE must be as the server wants them`;
}

/** A server that others could listen to on the way. */
export function judgeEndpoint({ endpoint }: Pick<S3Options, 'endpoint'>): Finding[] {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === 'https:' || /^(localhost|127\..*|\[::1\])$/.test(hostname)) return [];
  const found = `${endpoint} is spoken to in plain HTTP: who listens on the way reads files`;
  return [warning(TOPIC, found, 'Use its https address, unless the network between is yours alone')];
}

async function judgeEach(options: S3Options, look: typeof examineBucket): Promise<Finding[]> {
  const buckets: [BucketVariable, string][] = [['LOWRANK_S3_DATASETS_BUCKET', options.datasets_bucket]];
  if (options.models_bucket !== options.datasets_bucket) buckets.push(['LOWRANK_S3_MODELS_BUCKET', options.models_bucket]);
  const found = await Promise.all(
    buckets.map(async ([variable, bucket]) => judgeBucket(await look(options, bucket), variable, options)),
  );
  return found.flat();
}

/** Nothing to look at where files lie in the data directory. */
export function storageCheck(options: S3Options | null = s3Options()): Check {
  return {
    topic: TOPIC,
    within_ms: 60_000,
    look: async () => (options === null ? [] : [...judgeEndpoint(options), ...(await judgeEach(options, examineBucket))]),
  };
}

/** What a start says of a storage that does not answer, or not to us: it only lists. The doctor looks closer. */
export function storageAnswers(options: S3Options | null = s3Options()): Check {
  return {
    topic: TOPIC,
    within_ms: 10_000,
    look: async () => (options === null ? [] : judgeEach(options, lookAtBucket)),
  };
}
