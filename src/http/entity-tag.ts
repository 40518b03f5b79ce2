/** Says if an If-None-Match header names this tag, strong or weak: whoever sent it has the file already. */
export function isKnown(if_none_match: string | undefined, etag: string): boolean {
  if (if_none_match === undefined) return false;
  return if_none_match.trim() === '*' || if_none_match.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
