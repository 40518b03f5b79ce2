import type { Readable } from 'node:stream';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { storage } from '#/storage/connect-storage.ts';
import { downloadKey } from '#/storage/download-key.ts';
import type { ByteRange, PublishedFile } from '#/storage/storage.ts';
import { type ArtifactRow, findArtifact } from './artifact-row.ts';
import { readDownloadToken, writeDownloadToken } from './download-token.ts';
import { zipFiles } from './zip-files.ts';

const VALID_MS = 15 * 60_000;

export interface SignedDownload {
  token: string;
  expires_at: Date;
  file_name: string;
  /** null for a zip, which is made while it is sent. */
  bytes: number | null;
}

/** Signs the download of one file of an artifact, or (no `file_id`) of all of them. Throws `not_found`. */
export async function signDownload(ctx: Context, artifact_id: string, file_id: string | null): Promise<SignedDownload> {
  const { artifact } = await asUser(ctx.user_id, (tx) => findArtifact(tx, ctx.user_id, artifact_id));
  const file = file_id === null ? null : fileOf(artifact, file_id);
  const expires_at = new Date(Date.now() + VALID_MS);
  const grant = { user_id: ctx.user_id, artifact_id, file_id, expires_at: expires_at.getTime() };
  return {
    token: writeDownloadToken(await downloadKey(), grant),
    expires_at,
    file_name: file === null ? zipName(artifact) : baseName(file),
    bytes: file?.bytes ?? null,
  };
}

/** What a signed address opens. */
export type Download =
  | { kind: 'file'; file_name: string; bytes: number; sha256: string; open(range: ByteRange | null): Promise<Readable> }
  | { kind: 'zip'; file_name: string; open(): Readable };

/** The download behind a token. Throws `not_found` when it is not ours, over, or its artifact is gone or deleted. */
export async function openDownload(token: string): Promise<Download> {
  const grant = readDownloadToken(await downloadKey(), token, Date.now());
  if (grant === null)
    throw new AppError('not_found', 'This download does not exist or its time is over: start it again from its job');
  const { user_id, artifact_id, file_id } = grant;
  const { artifact } = await asUser(user_id, (tx) => findArtifact(tx, user_id, artifact_id));
  if (file_id === null) {
    const name = zipName(artifact);
    return {
      kind: 'zip',
      file_name: name,
      open: () => zipFiles(user_id, artifact_id, name.replace(/\.zip$/, ''), artifact.files),
    };
  }
  const file = fileOf(artifact, file_id);
  return {
    kind: 'file',
    file_name: baseName(file),
    bytes: file.bytes,
    sha256: file.sha256,
    async open(range) {
      const opened = await storage().open(user_id, artifact_id, file.path, range ?? undefined);
      if (opened.bytes !== file.bytes) {
        opened.stream.destroy();
        throw new Error(`A file of artifact ${artifact_id} has another size than was recorded`);
      }
      return opened.stream;
    },
  };
}

function fileOf(artifact: ArtifactRow['artifact'], file_id: string): PublishedFile {
  const file = artifact.files.find((one) => one.id === file_id);
  if (file === undefined) throw new AppError('not_found', 'The artifact has no such file');
  return file;
}

function baseName(file: PublishedFile): string {
  return file.path.split('/').pop() ?? file.path;
}

/** The artifact's name as far as every file system takes it. */
function zipName(artifact: ArtifactRow['artifact']): string {
  const slug = artifact.name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return `${slug === '' ? artifact.kind : slug.toLowerCase()}-${artifact.id.slice(0, 8)}.zip`;
}
