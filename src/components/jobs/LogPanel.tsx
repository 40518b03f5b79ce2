'use client';
import { ArrowDownToLine, Download } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import type { LogPiece } from '#/hooks/job-record.ts';
import { tellFault } from '#/hooks/notify.ts';
import { saveText } from '#/hooks/save-text.ts';
import { fetchLog } from '#/hooks/useJobHistory.ts';

interface LogPanelProps {
  job_id: string;
  name: string;
  attempt: number;
  log: readonly LogPiece[];
  /** Older text is not shown. */
  cut: boolean;
}

/** The end of the trainer's log. It follows new lines until the reader scrolls up. */
export function LogPanel({ job_id, name, attempt, log, cut }: LogPanelProps) {
  const [following, setFollowing] = useState(true);
  const [saving, setSaving] = useState(false);
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (following && log.length > 0 && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [following, log]);
  const save = async () => {
    setSaving(true);
    try {
      saveText(`${name.replaceAll(/[^\w-]+/g, '-')}-${attempt}.log`, await fetchLog(job_id, attempt));
    } catch (error) {
      tellFault(error instanceof Error ? error.message : 'The log could not be fetched.');
    } finally {
      setSaving(false);
    }
  };
  return (
    <div>
      <div className="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b px-4 py-1.5">
        <label className="flex items-center gap-2 text-soft text-sm">
          <input
            type="checkbox"
            className="size-4 accent-(--color-accent)"
            checked={following}
            onChange={(event) => setFollowing(event.target.checked)}
          />
          Follow new lines
        </label>
        <div className="flex gap-2">
          {!following && (
            <Button size="sm" onClick={() => setFollowing(true)}>
              <ArrowDownToLine aria-hidden />
              To the end
            </Button>
          )}
          <Button size="sm" busy={saving} onClick={save} disabled={attempt < 1}>
            {!saving && <Download aria-hidden />}
            Download whole log
          </Button>
        </div>
      </div>
      <Scroll
        ref={box}
        label="Log"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          const atEnd = scrollHeight - scrollTop - clientHeight < 24;
          if (atEnd !== following) setFollowing(atEnd);
        }}
        className="h-96 overflow-auto bg-sunken px-4 py-3 font-mono text-sm -outline-offset-2"
      >
        {log.length === 0 ? (
          <p className="font-sans text-soft">The trainer has not written a line yet.</p>
        ) : (
          <>
            {cut && <p className="font-sans text-soft">Earlier lines are in the download.</p>}
            <pre className="whitespace-pre-wrap [overflow-wrap:anywhere]">
              {log.map((piece, at) => (
                <Piece
                  key={`${piece.attempt}.${piece.offset}`}
                  piece={piece}
                  first={piece.attempt !== log[at - 1]?.attempt && piece.attempt > 1}
                />
              ))}
            </pre>
          </>
        )}
      </Scroll>
    </div>
  );
}

function Piece({ piece, first }: { piece: LogPiece; first: boolean }) {
  return (
    <>
      {first && <span className="my-1.5 block border-t pt-1.5 font-sans text-soft">Attempt {piece.attempt}</span>}
      {piece.gap && <span className="block font-sans text-warn">Some lines are missing here: they are in the download.</span>}
      {piece.text}
    </>
  );
}
