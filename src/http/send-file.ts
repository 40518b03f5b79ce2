import type { Context as HonoContext } from 'hono';
import { AppError } from '#/domain/app-error.ts';
import { readRange } from '#/services/artifacts/byte-range.ts';
import type { SampleImage } from '#/services/jobs/open-sample-image.ts';
import type { ApiEnv } from './api-env.ts';
import { downloadBody } from './download-body.ts';
import { isKnown } from './entity-tag.ts';
import { errorResponse } from './error-response.ts';
import { DOWNLOADS, type Places } from './places.ts';

/** A file whose bytes never change, and how it is read. */
export type SentFile = Pick<SampleImage, 'bytes' | 'sha256' | 'open'>;

interface Sending {
  /** Whose places it takes, and which. */
  user_id: string;
  places?: Places;
  /** What it is, and who may keep it. */
  headers: Record<string, string>;
}

/** Answers with a file, or with the range of it that was asked for; 304 to who has it already. Throws `rate_limited`. */
export async function sendFile(
  c: HonoContext<ApiEnv>,
  file: SentFile,
  { user_id, places, ...sending }: Sending,
): Promise<Response> {
  const { bytes, sha256 } = file;
  const etag = `"${sha256}"`;
  const headers: Record<string, string> = { ...sending.headers, ETag: etag, 'Accept-Ranges': 'bytes' };
  if (isKnown(c.req.header('if-none-match'), etag)) return new Response(null, { status: 304, headers });
  const if_range = c.req.header('if-range');
  const range = if_range === undefined || if_range.trim() === etag ? readRange(c.req.header('range'), bytes) : null;
  if (range === 'unsatisfiable') {
    const { request_id, log } = c.var;
    const error = new AppError('range_not_satisfiable', `The file has ${bytes} bytes: ask for a range within them`);
    return errorResponse(error, { path: c.req.path, request_id, log }, { 'Content-Range': `bytes */${bytes}` });
  }
  headers['Content-Length'] = String(range === null ? bytes : range.last - range.first + 1);
  if (range !== null) headers['Content-Range'] = `bytes ${range.first}-${range.last}/${bytes}`;
  const status = range === null ? 200 : 206;
  if (c.req.raw.method === 'HEAD') return new Response(null, { status, headers });
  const body = await downloadBody(user_id, c.req.raw.signal, (gone) => file.open(range, gone), places ?? DOWNLOADS);
  return new Response(body, { status, headers });
}
