import { finished, type Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { storage } from '#/storage/connect-storage.ts';
import type { PublishedFile } from '#/storage/storage.ts';

/** Every entry has the same, so that the same files make the same zip. */
const EPOCH = new Date(Date.UTC(1980, 0, 1));

/** What a zip holds. */
export interface ZipContent {
  /** Everything in it lies below this folder. */
  folder: string;
  files: PublishedFile[];
  /** Text files that lie in no storage, by name; a stored file of the same name wins. */
  texts: Record<string, string>;
}

/**
 * All files of a resource as one uncompressed zip, streamed: each is opened when its turn comes and nothing is kept. Ends
 * with an error when a file cannot be read. `gone` tells when nobody waits for it any more.
 */
export function zipFiles(owner: string, resource_id: string, { folder, files, texts }: ZipContent, gone: AbortSignal): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  // An error of an entry is the whole's: the reader must not take a part for all.
  zip.on('error', (error: Error) => output.destroy(error));
  let file_stream: Readable | undefined;
  output.once('close', () => file_stream?.destroy());
  const entry = { compress: false, mtime: EPOCH, mode: 0o100644 };
  for (const [name, text] of Object.entries(texts)) {
    if (files.every(({ path }) => path !== name)) zip.addBuffer(Buffer.from(text), `${folder}/${name}`, entry);
  }
  for (const file of files) {
    const options = { ...entry, size: file.bytes };
    zip.addReadStreamLazy(`${folder}/${file.path}`, options, (done) => {
      storage()
        .open(owner, resource_id, file.path, undefined, gone)
        .then(
          ({ stream }) => {
            file_stream = stream;
            // The reader may have gone away while the file was being opened.
            if (output.destroyed) stream.destroy();
            // Else a file that breaks off would leave the zip waiting for the rest of it.
            finished(stream, (error) => {
              if (error != null) output.destroy(error);
            });
            done(null, stream);
          },
          (error: unknown) => {
            done(error, undefined as never);
          },
        );
    });
  }
  zip.end();
  return output;
}
