/** An upload's forms, raw body and multipart with one file or many, as one stream with what is said beside it. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { RAW_UPLOAD_TYPES } from '#/contract/datasets.ts';
import { AppError } from '#/domain/app-error.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import { UploadOptions } from '#/domain/dataset-options.ts';
import { beginsImageSet, IMAGE_FILES_MAX, IMAGE_NAME_BYTES_MAX, imageSetName } from '#/domain/image-files.ts';
import { datasetTooLarge } from '#/services/datasets/upload-dataset.ts';
import { type PackedImages, packImages } from './pack-images.ts';
import { brokenRules, refusal } from './violations.ts';

const FIELDS_MAX = 20;
const FIELD_BYTES_MAX = 16_000;

export interface ReceivedUpload {
  options: UploadOptions;
  content: AsyncIterable<Uint8Array>;
  declared_bytes: number | null;
  /** With what stood behind the file in a form. Resolves once the whole body has been read. */
  lastOptions(): Promise<UploadOptions>;
}

const brokenOff = () => new AppError('request_timeout', 'The upload broke off before its end: send it again');
const badForm = (message: string, code = 'invalid_multipart') =>
  new AppError('invalid_request', message, [{ path: 'body', message, code }]);

/**
 * Bytes of a body whose sender may go away: its error is not ours. Who stops reading lets the rest go. To look at a body is
 * to ask for it, so that waits until the first byte is wanted.
 */
async function* bytesOf(request: Request): AsyncGenerator<Uint8Array> {
  if (request.body === null) return;
  const reader = request.body.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      ended = done;
      if (done) return;
      yield value;
    }
  } catch (error) {
    ended = true;
    throw error instanceof AppError ? error : brokenOff();
  } finally {
    if (!ended) await reader.cancel();
  }
}

function declaredBytes(request: Request): number | null {
  const header = request.headers.get('content-length');
  if (header === null) return null;
  if (!/^\d{1,15}$/.test(header))
    throw refusal([{ path: 'Content-Length', message: 'must be a whole number', code: 'invalid_length' }]);
  return Number(header);
}

/** A form's length is its file's and what stands around it: the largest file with all its fields is no larger than a file may be. */
function withoutFrame(bytes: number | null): number | null {
  const frame = FIELDS_MAX * FIELD_BYTES_MAX + 64 * 1024;
  return bytes !== null && bytes > DATASET_BYTES_MAX && bytes <= DATASET_BYTES_MAX + frame ? DATASET_BYTES_MAX : bytes;
}

/** A zip says each name twice, where a form says it once beside more words of its own: no more can it be larger. */
function withDirectory(bytes: number | null): number | null {
  return bytes === null ? null : Math.min(DATASET_BYTES_MAX, bytes + Math.min(bytes, IMAGE_FILES_MAX * IMAGE_NAME_BYTES_MAX));
}

function parseOptions(fields: Record<string, unknown>, target: string): UploadOptions {
  const parsed = UploadOptions.safeParse(fields);
  if (!parsed.success) throw brokenRules(parsed.error.issues, target);
  return parsed.data;
}

/** Opens the upload of a request. `query` are its parameters as they were sent. Throws `unsupported_media_type`, `invalid_request`. */
export async function receiveUpload(request: Request, query: Record<string, string>): Promise<ReceivedUpload> {
  const type = request.headers.get('content-type') ?? '';
  const media = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (media === 'multipart/form-data') {
    if (Object.keys(query).length > 0)
      throw refusal([{ path: 'query', message: 'goes into the form beside the file', code: 'unknown_parameter' }]);
    return receiveForm(type, request);
  }
  if (!(RAW_UPLOAD_TYPES as readonly string[]).includes(media)) {
    throw new AppError('unsupported_media_type', `Send the file as ${RAW_UPLOAD_TYPES.join(', ')} or multipart/form-data`);
  }
  const options = parseOptions(query, 'query');
  return { options, content: bytesOf(request), declared_bytes: declaredBytes(request), lastOptions: async () => options };
}

const ONE_FILE =
  'The form has more than one file: upload them one by one. Pictures and their captions go together, a picture first';

interface OpenForm {
  parser: busboy.Busboy;
  fields: Record<string, string>;
  /** The file of the form, or all of its pictures as one zip. */
  file: Promise<FormFile>;
}

interface FormFile {
  stream: Readable;
  file_name: string;
  /** What packs its pictures; null where there is one file, which is taken as it is. */
  packed: PackedImages | null;
}

function openForm(content_type: string): OpenForm {
  let parser: busboy.Busboy;
  try {
    parser = busboy({
      headers: { 'content-type': content_type },
      defParamCharset: 'utf8',
      // A path is kept whole: it is a label, and a name such as ".." must not become another by cutting.
      preservePath: true,
      limits: {
        fields: FIELDS_MAX,
        fieldSize: FIELD_BYTES_MAX,
        fieldNameSize: 100,
        files: IMAGE_FILES_MAX,
        parts: FIELDS_MAX + IMAGE_FILES_MAX,
        headerPairs: 50,
      },
    });
  } catch {
    throw badForm('The multipart body cannot be read: see the boundary in its Content-Type');
  }
  const fields: Record<string, string> = Object.create(null);
  let opened: FormFile | null = null;
  const open = (stream: Readable, file_name: string): FormFile => {
    if (!beginsImageSet(file_name)) return { stream, file_name, packed: null };
    const packed = packImages((message) => badForm(message));
    return { stream: packed.output, file_name: imageSetName(file_name), packed };
  };
  const file = new Promise<FormFile>((resolve, reject) => {
    parser.on('field', (name, value, info) => {
      if (info.nameTruncated || info.valueTruncated)
        parser.destroy(badForm(`A form field is longer than ${formatBytes(FIELD_BYTES_MAX)}`));
      else if (Object.hasOwn(fields, name)) parser.destroy(badForm(`The form has ${JSON.stringify(name.slice(0, 60))} twice`));
      else fields[name] = value;
    });
    parser.on('file', (_, stream, info) => {
      // Its error is the parser's, which is listened to.
      stream.on('error', () => undefined);
      const name = info.filename ?? '';
      const is_first = opened === null;
      opened ??= open(stream, name);
      const refused =
        opened.packed === null ? (is_first ? null : badForm(ONE_FILE, 'one_file')) : opened.packed.add(name, stream);
      if (refused !== null) parser.destroy(refused);
      else if (is_first) resolve(opened);
    });
    parser.on('filesLimit', () =>
      parser.destroy(badForm(`The form has more than ${IMAGE_FILES_MAX} files: upload them as a zip`)),
    );
    parser.on('fieldsLimit', () => parser.destroy(badForm(`The form has more than ${FIELDS_MAX} fields`)));
    parser.on('partsLimit', () => parser.destroy(badForm(`The form has more than ${FIELDS_MAX} fields`)));
    parser.on('error', reject);
    parser.on('close', () => reject(badForm('The form has no file: send it as a part with a file name', 'file_required')));
  });
  return { parser, fields, file };
}

async function receiveForm(content_type: string, request: Request): Promise<ReceivedUpload> {
  const declared_bytes = withoutFrame(declaredBytes(request));
  if (declared_bytes !== null && declared_bytes > DATASET_BYTES_MAX) throw datasetTooLarge();
  const { parser, fields, file } = openForm(content_type);
  const ended = pipeline(Readable.from(bytesOf(request)), parser).catch((error: unknown) => {
    throw error instanceof AppError ? error : badForm('The multipart body is cut off or broken');
  });
  // Whoever waits for the file or the end hears of it.
  ended.catch(() => undefined);
  const opened = await Promise.race([file, ended.then(() => file)]).catch((error: unknown) => {
    throw error instanceof AppError ? error : badForm('The multipart body is cut off or broken');
  });
  const { packed } = opened;
  if (packed !== null)
    ended.then(
      () => packed.end(),
      (error: Error) => packed.output.destroy(error),
    );
  const optionsNow = () => parseOptions({ ...fields, file_name: opened.file_name }, 'form');
  let options: UploadOptions;
  try {
    options = optionsNow();
  } catch (error) {
    parser.destroy();
    throw error;
  }
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      yield* opened.stream;
    } catch {
      // The reason stands at the parser.
      await ended;
      throw brokenOff();
    }
  }
  return {
    options,
    content: content(),
    declared_bytes: packed === null ? declared_bytes : withDirectory(declared_bytes),
    async lastOptions() {
      await ended;
      return optionsNow();
    },
  };
}
