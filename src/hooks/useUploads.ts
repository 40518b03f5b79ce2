import { useQueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { addUploads, currentUploads, type NamedFile, retryUpload, type Upload, watchUploads } from './uploads.ts';

const NONE: readonly Upload[] = [];

/** The uploads of this tab, and how to add to them. */
export function useUploads() {
  const queries = useQueryClient();
  const uploads = useSyncExternalStore(watchUploads, currentUploads, () => NONE);
  return {
    uploads,
    add: (files: Iterable<NamedFile>) => addUploads(files, queries),
    retry: (key: number) => retryUpload(key, queries),
  };
}
