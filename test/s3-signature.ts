/** Whether a request was signed for S3 (Signature Version 4) by a key with its secret, in its headers or in its address. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const byCode = (one: string, other: string) => (one < other ? -1 : 1);

export function isSignedBy(key_id: string, secret: string, request: IncomingMessage): boolean {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const params = new URLSearchParams(query);
  const header = /^AWS4-HMAC-SHA256 Credential=(\S+), ?SignedHeaders=(\S+), ?Signature=(\S+)$/.exec(
    request.headers.authorization ?? '',
  );
  const presigned = params.get('X-Amz-Signature');
  const [credential, names, signature] = header?.slice(1) ?? [
    params.get('X-Amz-Credential'),
    params.get('X-Amz-SignedHeaders'),
    presigned,
  ];
  if (!credential || !names || !signature) return false;
  const [by, date = '', region = '', service = '', end = ''] = credential.split('/');
  if (by !== key_id) return false;
  const canonical_query = query
    .split('&')
    .filter((item) => item !== '' && !item.startsWith('X-Amz-Signature='))
    .map((item) => (item.includes('=') ? item : `${item}=`))
    .sort(byCode)
    .join('&');
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`);
  const payload = header === null ? 'UNSIGNED-PAYLOAD' : String(request.headers['x-amz-content-sha256']);
  const canonical = [request.method, path, canonical_query, headers.join(''), names, payload].join('\n');
  const instant = header === null ? params.get('X-Amz-Date') : request.headers['x-amz-date'];
  const to_sign = ['AWS4-HMAC-SHA256', instant, `${date}/${region}/${service}/${end}`, sha256(canonical)].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), end);
  const right = hmac(key, to_sign);
  const given = Buffer.from(signature, 'hex');
  return given.length === right.length && timingSafeEqual(given, right);
}
