import { ResourceName } from './training-spec.ts';

/** Folder names that say nothing of the model in them: the plain one, and the two lowest of a Hub cache. */
const NAMELESS = /^(model|snapshots|[0-9a-f]{40})$/i;
const HUB_CACHE = /^models--([^-].*?)--(.+)$/;

/**
 * A name for a model that was given none: its folder's, or, where that says nothing, that of the one above:
 * `/srv/llama/model` → `llama`, `…/models--a--b/snapshots/<commit>` → `a/b`. `path` is absolute.
 */
export function nameFromModelFolder(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const telling = parts.findLast((part) => !NAMELESS.test(part));
  // Where models are kept is no model's name.
  const named = telling === undefined || telling.toLowerCase() === 'models' ? parts.at(-1) : telling;
  return ResourceName.safeParse(named?.replace(HUB_CACHE, '$1/$2')).data ?? 'Local model';
}
