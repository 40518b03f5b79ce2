'use client';
import { Wordmark } from '#/components/shell/Logo.tsx';
import { PageFault } from '#/components/shell/PageFault.tsx';
import { chosenTheme } from '#/hooks/useTheme.ts';
import './base.css';

/** Takes the place of the whole document when even its frame broke, so it brings its own; trying again loads it anew. */
export default function GlobalError({ error }: { error: unknown }) {
  const theme = chosenTheme();
  return (
    <html lang="en" data-theme={theme === 'system' ? undefined : theme} suppressHydrationWarning>
      <body>
        <title>This page broke · Lowrank</title>
        <main className="mx-auto max-w-xl px-5 py-10">
          <Wordmark />
          <PageFault error={error} retry={() => location.reload()} />
        </main>
      </body>
    </html>
  );
}
