/** Leaves of each absolute path, or one in a folder that a log names (`<data>/…`), its last two parts: what a reader needs. */
export function shortenPaths(text: string): string {
  return text.replace(/(?<![\w.…/:-])(?:<[a-z]{2,10}>)?\/(?:[^\s/"':,;()<>]+\/)+([^\s/"':,;()<>]+\/[^\s/"':,;()<>]+)/g, '…/$1');
}
