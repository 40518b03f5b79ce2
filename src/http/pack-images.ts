import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { AppError } from '#/domain/app-error.ts';
import { IMAGE_FILES_MAX, IMAGE_NAME_BYTES_MAX } from '#/domain/image-files.ts';

/** Every entry has the same, so that the same files make the same zip, and a request told twice is known again. */
const EPOCH = new Date(Date.UTC(1980, 0, 1));
const BAD_PART = new Set(['', '.', '..']);

export interface PackedImages {
  /** The zip, written while the files arrive. */
  output: Readable;
  /** Takes the next file. Answers why it does not. */
  add(name: string, stream: Readable): AppError | null;
  /** No file comes any more. */
  end(): void;
}

/**
 * Several files of a form as one uncompressed zip. Of their bytes nothing is kept: a form's next file is read when the one
 * before it has gone through. `refuse` makes the refusal of a file.
 */
export function packImages(refuse: (message: string) => AppError): PackedImages {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  // Whoever reads hears of it; until somebody does, nothing else may.
  output.on('error', () => undefined);
  zip.on('error', (error: Error) => output.destroy(error));
  const names = new Set<string>();
  return {
    output,
    add(sent, stream) {
      const name = sent.replaceAll('\\', '/');
      const shown = JSON.stringify(name.slice(0, 60));
      if (
        Buffer.byteLength(name) > IMAGE_NAME_BYTES_MAX ||
        /\p{Cc}/u.test(name) ||
        name.split('/').some((part) => BAD_PART.has(part))
      )
        return refuse(
          `${shown} is no name of a file: at most ${IMAGE_NAME_BYTES_MAX} bytes, folders with one slash between them`,
        );
      if (names.has(name)) return refuse(`The form has the file ${shown} twice: each needs a name of its own`);
      if (names.size === IMAGE_FILES_MAX) return refuse(`The form has more than ${IMAGE_FILES_MAX} files: upload them as a zip`);
      names.add(name);
      zip.addReadStream(stream, name, { compress: false, mtime: EPOCH, mode: 0o100644 });
      return null;
    },
    end: () => zip.end(),
  };
}
