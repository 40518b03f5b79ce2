/** The path of ours that `to` names, or `/`: a sign-in never leads to another site. */
export function sameOriginPath(to: string | null, origin: string): string {
  if (to === null || !to.startsWith('/')) return '/';
  const url = URL.parse(to, origin);
  if (url === null || url.origin !== origin) return '/';
  return url.pathname + url.search + url.hash;
}
