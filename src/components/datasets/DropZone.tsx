'use client';
import '#/hooks/zod-without-eval.ts';
import { FileUp } from 'lucide-react';
import { type DragEvent, useState } from 'react';
import { classNames } from '#/components/class-names.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { DATASET_BYTES_MAX } from '#/domain/constants.ts';
import { chosenFiles, droppedFiles } from '#/hooks/dropped-files.ts';
import { useUploads } from '#/hooks/useUploads.ts';
import { UploadRow } from './UploadRow.tsx';

/** Takes files by drop or by choice, and shows what is on its way. */
export function DropZone() {
  const { uploads, add, retry } = useUploads();
  const [over, setOver] = useState(false);
  const drag = (event: DragEvent, entered: boolean) => {
    event.preventDefault();
    setOver(entered);
  };
  return (
    <div className="grid gap-3">
      <label
        htmlFor="dataset-files"
        onDragEnter={(event) => drag(event, true)}
        onDragOver={(event) => drag(event, true)}
        onDragLeave={(event) => drag(event, false)}
        onDrop={(event) => {
          drag(event, false);
          void droppedFiles(event.dataTransfer).then(add);
        }}
        className={classNames(
          'flex cursor-pointer flex-col items-center gap-x-5 gap-y-2 rounded-lg border border-edge/60 border-dashed bg-panel px-6 py-6 text-center transition-colors hover:border-accent hover:bg-accent-wash/50 has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2 sm:flex-row sm:text-left',
          over && 'border-accent bg-accent-wash',
        )}
      >
        <FileUp aria-hidden strokeWidth={1.4} className="size-8 shrink-0 text-accent" />
        <span>
          <span className="block font-medium">
            Drop a dataset here, or <span className="text-accent underline underline-offset-3">choose files</span>
          </span>
          <span className="mt-0.5 block text-pretty text-soft text-sm">
            JSON lines or one JSON array, up to {formatBytes(DATASET_BYTES_MAX)}: chat messages, ShareGPT, Alpaca, prompt and
            completion, or plain text; other columns can be mapped after the upload. Or pictures: a zip, a folder, or several
            files with their captions beside them.
          </span>
        </span>
        <input
          id="dataset-files"
          type="file"
          multiple
          accept=".jsonl,.ndjson,.json,.zip,.txt,.caption,.csv,application/json,application/x-ndjson,application/zip,image/*"
          className="sr-only"
          onChange={({ target }) => {
            add(chosenFiles(Array.from(target.files ?? [])));
            target.value = '';
          }}
        />
      </label>
      {uploads.length > 0 && (
        <ul aria-label="Uploads" className="divide-y rounded-lg border bg-panel shadow-lift">
          {uploads.map((upload) => (
            <UploadRow key={upload.key} upload={upload} onRetry={() => retry(upload.key)} />
          ))}
        </ul>
      )}
    </div>
  );
}
