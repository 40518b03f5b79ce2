/** The path of ours that `to` names, or `/`: a sign-in never leads to another site. */
export function sameOriginPath(to: string | null, origin: string): string {
  if (to === null || !to.startsWith('/')) return '/';
  const url = URL.parse(to, origin);
  // Dots that were resolved can leave `//host` behind, which a browser reads as another site.
  if (url === null || url.origin !== origin || url.pathname.startsWith('//')) return '/';
  return url.pathname + url.search + url.hash;
}
