import type { ReactNode } from 'react';

/** `code` and **strong** within a line, as they are meant. */
export function inline(text: string): ReactNode[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part, at) => {
    // Parts of one text that never changes: their place is their name.
    const key = `${at}${part.slice(0, 8)}`;
    if (part.startsWith('`'))
      return (
        <code key={key} className="font-mono text-sm">
          {part.slice(1, -1)}
        </code>
      );
    return part.startsWith('**') ? <strong key={key}>{part.slice(2, -2)}</strong> : part;
  });
}

/** What an OpenAPI description is made of here: paragraphs, lists with dashes, code and strong words. */
export function Prose({ text }: { text: string }) {
  return text.split('\n\n').map((block) =>
    block.startsWith('- ') ? (
      <ul key={block} className="my-2 max-w-[80ch] list-disc space-y-1 pl-5">
        {block.split('\n').map((line) => (
          <li key={line}>{inline(line.slice(2))}</li>
        ))}
      </ul>
    ) : (
      <p key={block} className="my-2 max-w-[80ch]">
        {inline(block)}
      </p>
    ),
  );
}
