/** Hands a text to the reader as a file. */
export function saveText(file_name: string, text: string, type = 'text/plain'): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(document.createElement('a'), { href: url, download: file_name }).click();
  URL.revokeObjectURL(url);
}
