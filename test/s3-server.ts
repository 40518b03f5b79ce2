/** A real S3 server on this machine for a test, with what it lacks beside it, and a place for faults in front of it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import { BUCKETS } from '#/domain/buckets.ts';
import type { S3Options } from '#/storage/s3/s3-options.ts';
import { isSignedBy } from './s3-signature.ts';

/** The only key that the server knows; its secret is ours, for we check signatures. */
const KEY = 'S3RVER';
export const S3_SECRET = 'the-secret-of-the-tests-own-storage';
const NAMES = { datasets_bucket: BUCKETS.datasets.name, models_bucket: BUCKETS.models.name };

export interface TestS3 {
  /** `http://127.0.0.1:…`: buckets stand in the path. */
  url: string;
  options(changes?: Partial<S3Options>): S3Options;
  /** Options with the buckets in the host's name, which `loopback` finds. */
  virtualHost(changes?: Partial<S3Options>): S3Options;
  /** What a process is told of it. */
  variables: Record<string, string>;
  /** Every request, as `PUT /bucket/key`, oldest first. */
  asked: string[];
  /** Looks at each request first; true when it has answered, or ended, it. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  /** Whoever asks without a signature gets what there is, as of a public bucket. */
  is_public: boolean;
  /** The keys of a bucket, sorted. */
  keys(bucket: keyof typeof NAMES): string[];
  /** Where the bytes of an object lie. */
  pathOf(bucket: keyof typeof NAMES, key: string): string;
  /** How many uploads were begun and neither completed nor given up. */
  unfinished(): number;
  close(): Promise<void>;
}

/** Every name of a host is this machine: what a resolver says of *.localhost differs from system to system. */
export const loopback: LookupFunction = (_host, options, done) => {
  if (options.all)
    (done as (error: null, found: { address: string; family: number }[]) => void)(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};

/** Gets an address whose host is this machine, whatever its name. */
export function getFromHere(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers, lookup: loopback, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      answer.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

/** Answers as S3 does when it refuses. */
export function refuseAsS3(response: ServerResponse, status: number, code: string): true {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  return true;
}

const OBJECT = '._S3rver_object';
const UPLOADS = '._S3rver_uploads';

export async function startS3(): Promise<TestS3> {
  const directory = mkdtempSync(join(tmpdir(), 'lowrank-s3-'));
  const names = Object.values(NAMES);
  const server = new S3rver({
    directory,
    serviceEndpoint: 'localhost',
    silent: true,
    // Its own check knows no buckets in hosts; ours stands in front of it.
    allowMismatchedSignatures: true,
    configureBuckets: names.map((name) => ({ name })),
  });
  await server.configureBuckets();
  const answer = server.callback();
  const sockets = new Set<Socket>();
  const front = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const host_bucket = /^(.+)\.s3\.localhost$/.exec(url.hostname)?.[1];
    const path = host_bucket === undefined ? url.pathname : `/${host_bucket}${url.pathname}`;
    test.asked.push(`${request.method} ${decodeURIComponent(path)}`);
    if (test.fault?.(request, response)) return;
    const is_signed = request.headers.authorization !== undefined || url.searchParams.has('X-Amz-Signature');
    if (is_signed && !isSignedBy(KEY, S3_SECRET, request)) refuseAsS3(response, 403, 'SignatureDoesNotMatch');
    else if (!is_signed && !test.is_public) refuseAsS3(response, 403, 'AccessDenied');
    else if (!lacking(directory, path, request, url.searchParams, response)) void answer(request, response);
  });
  front.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const options = (changes: Partial<S3Options> = {}): S3Options => ({
    endpoint: url,
    public_endpoint: null,
    region: 'us-east-1',
    access_key_id: KEY,
    secret_access_key: S3_SECRET,
    ...NAMES,
    path_style: true,
    checksums: false,
    ...changes,
  });
  const uploadsOf = (name: string) => join(directory, name, UPLOADS);
  const test: TestS3 = {
    url,
    options,
    virtualHost: (changes) => options({ endpoint: `http://s3.localhost:${port}`, path_style: false, ...changes }),
    variables: { LOWRANK_S3_ENDPOINT: url, LOWRANK_S3_ACCESS_KEY_ID: KEY, LOWRANK_S3_SECRET_ACCESS_KEY: S3_SECRET },
    asked: [],
    fault: null,
    is_public: false,
    keys: (bucket) =>
      (readdirSync(join(directory, NAMES[bucket]), { recursive: true }) as string[])
        .filter((name) => name.endsWith(OBJECT))
        .map((name) => name.slice(0, -OBJECT.length))
        .sort(),
    pathOf: (bucket, key) => join(directory, NAMES[bucket], `${key}${OBJECT}`),
    unfinished: () =>
      names.reduce((sum, name) => sum + (existsSync(uploadsOf(name)) ? readdirSync(uploadsOf(name)).length : 0), 0),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => front.close(resolve));
      server.logger.exceptions.unhandle();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  for (const name of names) mkdirSync(join(directory, name), { recursive: true });
  return test;
}

/** AbortMultipartUpload and ListMultipartUploads, over the folder that the server keeps parts in; true when it was one of them. */
function lacking(
  directory: string,
  path: string,
  request: IncomingMessage,
  query: URLSearchParams,
  response: ServerResponse,
): boolean {
  const bucket = path.split('/')[1] ?? '';
  const uploads = join(directory, bucket, UPLOADS);
  const upload_id = query.get('uploadId');
  if (!existsSync(join(directory, bucket))) return false;
  if (request.method === 'DELETE' && upload_id !== null) {
    if (!/^[0-9a-f]+$/.test(upload_id) || !existsSync(join(uploads, upload_id))) return refuseAsS3(response, 404, 'NoSuchUpload');
    rmSync(join(uploads, upload_id), { recursive: true, force: true });
    response.writeHead(204).end();
    return true;
  }
  if (request.method !== 'GET' || !query.has('uploads')) return false;
  const rows = (existsSync(uploads) ? readdirSync(uploads) : []).map((id) => {
    const key = readFileSync(join(uploads, id, 'key'), 'utf8');
    const began = statSync(join(uploads, id, 'key')).mtime.toISOString();
    return `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${began}</Initiated></Upload>`;
  });
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListMultipartUploadsResult><Bucket>${bucket}</Bucket><IsTruncated>false</IsTruncated>${rows.join('')}</ListMultipartUploadsResult>`,
  );
  return true;
}
