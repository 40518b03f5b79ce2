/** Leaves of each absolute path its last two parts: what a reader needs, and nothing of the host. */
export function shortenPaths(text: string): string {
  return text.replace(/(?<![\w.…/:-])\/(?:[^\s/"':,;()<>]+\/)+([^\s/"':,;()<>]+\/[^\s/"':,;()<>]+)/g, '…/$1');
}
