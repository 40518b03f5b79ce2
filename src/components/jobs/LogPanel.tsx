'use client';
import { ArrowDownToLine, Download, Search } from 'lucide-react';
import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { classNames } from '#/components/class-names.ts';
import { Button } from '#/components/ui/Button.tsx';
import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Input } from '#/components/ui/Field.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import { Toggle } from '#/components/ui/Toggle.tsx';
import { formatClock, formatCount, formatExact, formatOf } from '#/components/units.ts';
import type { LogPiece } from '#/hooks/job-record.ts';
import { filterLines, type LogLevel, type LogLine, logLines } from '#/hooks/log-lines.ts';
import { tellFault } from '#/hooks/notify.ts';
import { saveText } from '#/hooks/save-text.ts';
import { fetchLog } from '#/hooks/useJobHistory.ts';

/** Lines that are drawn at most, the newest: more make a page slow and nobody reads them here. */
const DRAWN = 2_000;

interface LogPanelProps {
  job_id: string;
  name: string;
  attempt: number;
  log: readonly LogPiece[];
  /** Older text is not shown. */
  cut: boolean;
  /** What is said while there is no line. */
  none: string;
}

/** The end of the trainer's log, to search, filter, copy and download. It follows new lines until the reader scrolls up. */
export function LogPanel({ job_id, name, attempt, log, cut, none }: LogPanelProps) {
  const [following, setFollowing] = useState(true);
  const [wrapped, setWrapped] = useState(true);
  const [timed, setTimed] = useState(true);
  const [problems, setProblems] = useState(false);
  const [search, setSearch] = useState('');
  const box = useRef<HTMLElement>(null);
  const lines = useMemo(() => logLines(log), [log]);
  const found = useMemo(() => filterLines(lines, { search, problems }), [lines, search, problems]);
  const drawn = found.slice(-DRAWN);
  useEffect(() => {
    if (following && drawn.length > 0 && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [following, drawn]);
  const filtered = found !== lines;
  const stamped = useMemo(() => lines.some(({ at }) => at !== null), [lines]);
  return (
    <div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b px-4 py-2">
        <div className="relative min-w-40 flex-1 sm:max-w-64">
          <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-soft" />
          <Input
            type="search"
            aria-label="Show only lines with these words"
            placeholder="Filter lines"
            className="h-8 pl-8"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </div>
        <Toggle checked={problems} onChange={setProblems} label="Problems only" />
        <Toggle checked={following} onChange={setFollowing} label="Follow" />
        <Toggle checked={wrapped} onChange={setWrapped} label="Wrap" />
        <Toggle checked={timed} onChange={setTimed} label="Times" />
        <div className="ml-auto flex gap-2">
          <CopyButton text={() => drawn.map(asWritten).join('\n')} label={filtered ? 'Copy these' : 'Copy'} />
          <Save job_id={job_id} name={name} attempt={attempt} />
        </div>
      </div>
      <div className="relative">
        <Scroll
          ref={box}
          label="Log"
          onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
            const atEnd = scrollHeight - scrollTop - clientHeight < 24;
            if (atEnd !== following) setFollowing(atEnd);
          }}
          className="h-96 overflow-auto bg-sunken py-2 font-mono text-sm -outline-offset-2"
        >
          <p className="px-4 font-sans text-soft">
            {lines.length === 0 ? none : standing(lines.length, found.length, drawn.length, cut)}
          </p>
          <div className={classNames('py-1', wrapped ? '[overflow-wrap:anywhere]' : 'w-max min-w-full')}>
            {drawn.map((line, at) => (
              <Line
                key={line.key}
                line={line}
                wrapped={wrapped}
                timed={timed && stamped}
                begins={line.attempt > 1 && line.attempt !== drawn[at - 1]?.attempt}
              />
            ))}
          </div>
        </Scroll>
        {!following && (
          <Button size="sm" className="absolute right-5 bottom-3 shadow-float" onClick={() => setFollowing(true)}>
            <ArrowDownToLine aria-hidden />
            To the end
          </Button>
        )}
      </div>
    </div>
  );
}

/** What of the log is to be seen here, where that is not all of it. */
function standing(lines: number, found: number, drawn: number, cut: boolean): string {
  if (found === 0) return 'No line is like that: change the filter above.';
  if (found < lines) return `${formatCount(found)} of ${formatOf(lines, 'line')}${drawn < found ? ', the newest shown' : ''}`;
  return cut || drawn < found ? 'Earlier lines are in the download.' : '';
}

const LOOKS: Record<LogLevel, string> = {
  plain: '',
  warn: 'border-warn bg-warn-wash text-warn',
  bad: 'border-bad bg-bad-wash text-bad',
};

const Line = memo(function Line({
  line,
  wrapped,
  timed,
  begins,
}: {
  line: LogLine;
  wrapped: boolean;
  timed: boolean;
  begins: boolean;
}) {
  const { attempt, at, text, level, gap } = line;
  return (
    <>
      {begins && <p className="mt-1.5 border-t px-4 pt-1.5 font-sans text-soft">Attempt {attempt}</p>}
      {gap && <p className="px-4 font-sans text-warn">Some lines are missing here: they are in the download.</p>}
      <div className={classNames('flex min-h-5 border-transparent border-l-2 pr-4 pl-3.5', LOOKS[level])}>
        {timed && (
          <span className="w-18 shrink-0 select-none text-soft">
            {at !== null && (
              <time dateTime={new Date(at).toISOString()} title={formatExact(at)}>
                {formatClock(at)}
              </time>
            )}
          </span>
        )}
        <span className={wrapped ? 'min-w-0 whitespace-pre-wrap' : 'whitespace-pre'}>{text}</span>
      </div>
    </>
  );
});

const asWritten = ({ at, text }: LogLine) => (at === null ? text : `${new Date(at).toISOString()} ${text}`);

/** The whole log of the newest attempt, as a file. */
function Save({ job_id, name, attempt }: Pick<LogPanelProps, 'job_id' | 'name' | 'attempt'>) {
  const [saving, setSaving] = useState(false);
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
    <Button size="sm" busy={saving} onClick={save} disabled={attempt < 1} aria-label="Download the whole log">
      {!saving && <Download aria-hidden />}
      Download
    </Button>
  );
}
