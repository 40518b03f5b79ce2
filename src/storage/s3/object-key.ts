import { AppError } from '#/domain/app-error.ts';

/** S3's own limit. */
const KEY_BYTES_MAX = 1024;
const ODD_BYTE = /[^A-Za-z0-9._-]/gu;

/**
 * The key of a file: `{owner}/{resource_id}/{path}`. A character that some server refuses or reads in its own way is written
 * as `=` and its bytes in hex, so that every path has one key on every server.
 */
export function objectKey(owner: string, resource_id: string, path: string): string {
  const key = `${resourcePrefix(owner, resource_id)}${path.split('/').map(encodePart).join('/')}`;
  if (key.length > KEY_BYTES_MAX) throw new AppError('conflict', `A file’s path is too long to be kept: ${path.slice(0, 60)}…`);
  return key;
}

/** What the keys of a resource begin with. */
export function resourcePrefix(owner: string, resource_id: string): string {
  return `${owner}/${resource_id}/`;
}

function encodePart(part: string): string {
  return part.replace(ODD_BYTE, (character) =>
    [...Buffer.from(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
