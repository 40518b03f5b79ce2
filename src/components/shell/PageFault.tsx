'use client';

const BUTTON = 'inline-flex h-9 items-center rounded-md border px-3.5 font-medium transition-colors';

/**
 * What a page shows that broke while it was drawn: what it said, a second try, and a way out that loads everything anew. Every
 * page brings it along, so it is made of nothing else.
 */
export function PageFault({ error, retry }: { error: unknown; retry(): void }) {
  const said = error instanceof Error ? error.message : String(error);
  return (
    <div role="alert" className="mx-auto max-w-xl py-10 md:py-20">
      <h1 className="border-bad border-l-2 pl-3 text-2xl">This page broke</h1>
      <p className="mt-3 text-pretty text-soft">
        That is a fault of the studio, not of yours. Trainings go on and nothing that was stored is lost. If it comes again, tell
        whoever runs this studio what you did, with these words:
      </p>
      <pre className="mt-3 max-h-40 overflow-auto whitespace-pre-wrap rounded-md border bg-sunken px-3 py-2 font-mono text-sm [overflow-wrap:anywhere]">
        {said}
      </pre>
      <div className="mt-5 flex flex-wrap items-center gap-2">
        <button
          type="button"
          className={`${BUTTON} border-transparent bg-accent text-on-accent hover:bg-accent-strong`}
          onClick={retry}
        >
          Try again
        </button>
        <button type="button" className={`${BUTTON} border-edge/70 bg-panel hover:bg-hover`} onClick={() => location.assign('/')}>
          To the dashboard
        </button>
      </div>
    </div>
  );
}
