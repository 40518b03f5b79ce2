import type { Readable } from 'node:stream';
import { asUser } from '#/db/tenancy.ts';
import { AppError } from '#/domain/app-error.ts';
import type { Context } from '#/services/context.ts';
import { findSubject } from '#/services/people/ensure-subject.ts';
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
    file_name: file === null ? `${downloadFolder(artifact)}.zip` : baseName(file),
    bytes: file?.bytes ?? null,
  };
}

/** What a signed address opens. */
export type Download =
  | {
      kind: 'file';
      /** Who signed it. */
      user_id: string;
      file_name: string;
      bytes: number;
      sha256: string;
      /** `gone` tells when nobody waits for it any more. */
      open(range: ByteRange | null, gone: AbortSignal): Promise<Readable>;
      /** Where the storage itself sends it, with this Content-Disposition, for a minute; null when only we do. */
      address(content_disposition: string): Promise<string | null>;
    }
  | { kind: 'zip'; user_id: string; file_name: string; open(gone: AbortSignal): Readable };

/** The download behind a token. Throws `not_found` when it is not ours, over, or its artifact is gone or deleted. */
export async function openDownload(token: string): Promise<Download> {
  const grant = readDownloadToken(await downloadKey(), token, Date.now());
  if (grant === null) throw noDownload();
  const { user_id, artifact_id, file_id } = grant;
  // Whoever was locked out takes nothing home by an address of before.
  if ((await findSubject(user_id))?.disabled !== false) throw noDownload();
  const { artifact } = await asUser(user_id, (tx) => findArtifact(tx, user_id, artifact_id));
  if (file_id === null) {
    const folder = downloadFolder(artifact);
    const content = { folder, files: artifact.files, texts: passportFile(artifact) };
    const open = (gone: AbortSignal) => zipFiles(user_id, artifact_id, content, gone);
    return { kind: 'zip', user_id, file_name: `${folder}.zip`, open };
  }
  const file = fileOf(artifact, file_id);
  return {
    kind: 'file',
    user_id,
    file_name: baseName(file),
    bytes: file.bytes,
    sha256: file.sha256,
    async open(range, gone) {
      const opened = await storage().open(user_id, artifact_id, file.path, range ?? undefined, gone);
      if (opened.bytes !== file.bytes) {
        opened.stream.destroy();
        throw new Error(`A file of artifact ${artifact_id} has another size than was recorded`);
      }
      return opened.stream;
    },
    address: (content_disposition) => storage().signedUrl(user_id, artifact_id, file.path, content_disposition),
  };
}

const noDownload = () =>
  new AppError('not_found', 'This download does not exist or its time is over: start it again from its job');

function fileOf(artifact: ArtifactRow['artifact'], file_id: string): PublishedFile {
  const file = artifact.files.find((one) => one.id === file_id);
  if (file === undefined) throw new AppError('not_found', 'The artifact has no such file');
  return file;
}

function baseName(file: PublishedFile): string {
  return file.path.split('/').pop() ?? file.path;
}

/** The passport lies in the artifact's row: a download of everything brings it along, so that it says what it is wherever it goes. */
function passportFile({ passport }: ArtifactRow['artifact']): Record<string, string> {
  return Object.keys(passport).length === 0 ? {} : { 'passport.json': `${JSON.stringify(passport, null, 2)}\n` };
}

/** The folder that a download of everything unpacks to: the artifact's name as far as every file system takes it. */
export function downloadFolder(artifact: Pick<ArtifactRow['artifact'], 'id' | 'name' | 'kind'>): string {
  const slug = artifact.name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return `${slug === '' ? artifact.kind : slug.toLowerCase()}-${artifact.id.slice(0, 8)}`;
}
