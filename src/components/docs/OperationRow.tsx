'use client';
import { ChevronRight, Link2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Badge, type Tone } from '#/components/ui/Badge.tsx';
import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import type { ApiDocument, Media } from '#/contract/api-document.ts';
import { FieldTable } from './FieldTable.tsx';
import { curlOf, fieldsOf, kindOf, type Listed } from './operations.ts';
import { inline } from './Prose.tsx';

const TONES: Record<string, Tone> = { GET: 'plain', POST: 'accent', PATCH: 'warn', DELETE: 'bad' };

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

export function Code({ label, text }: { label: string; text: string }) {
  return (
    <Scroll label={label} className="max-h-90 overflow-auto rounded-md border bg-sunken p-3">
      <pre className="font-mono text-xs">{text}</pre>
    </Scroll>
  );
}

/** One operation: a line, and all of it when it is opened. */
export function OperationRow({ listed, document, open }: { listed: Listed; document: ApiDocument; open: boolean }) {
  const [isOpen, setOpen] = useState(open);
  const row = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (!open) return;
    setOpen(true);
    row.current?.scrollIntoView({ block: 'start' });
  }, [open]);
  const { id, method, path, summary } = listed;
  return (
    <details
      ref={row}
      id={id}
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      className="group/row scroll-mt-3 open:bg-page"
    >
      <summary className="relative flex cursor-pointer flex-wrap items-center gap-x-3 gap-y-0.5 py-2.5 pr-4 pl-9 hover:bg-hover">
        <ChevronRight
          aria-hidden
          className="absolute top-3.5 left-3 size-4 text-soft transition-transform group-open/row:rotate-90"
        />
        <Badge tone={TONES[method]} className="w-15 justify-center font-mono">
          {method}
        </Badge>
        <code className="font-mono text-sm [overflow-wrap:anywhere]">{path}</code>
        <span className="min-w-0 text-soft text-sm">{inline(summary)}</span>
      </summary>
      {isOpen && <Whole listed={listed} document={document} />}
    </details>
  );
}

function Whole({ listed, document }: { listed: Listed; document: ApiDocument }) {
  const { id, method, path, operation } = listed;
  const { parameters = [], requestBody, responses, description, security } = operation;
  const name = `${method} ${path}`;
  const curl = curlOf(listed, location.origin);
  const who =
    security === undefined
      ? 'A session, or an API key'
      : security.length === 0
        ? 'Anybody: it needs neither session nor key'
        : 'A session only: no API key may do this';
  return (
    <div className="space-y-5 border-t px-4 pt-3 pb-6">
      <p className="text-soft text-sm">
        {description && <span className="block max-w-[80ch]">{inline(description)}</span>}
        {who} ·{' '}
        <a href={`#${id}`} className="inline-flex items-center gap-1 text-accent hover:underline">
          <Link2 aria-hidden className="size-3.5" />
          Address of this operation
        </a>
      </p>
      {parameters.length > 0 && (
        <FieldTable
          label={`Parameters of ${name}`}
          title="Parameters"
          rows={parameters.map((parameter) => ({
            id: `${parameter.in} ${parameter.name}`,
            name: parameter.name,
            depth: 0,
            kind: `${parameter.in}: ${kindOf(parameter.schema ?? {}, document)}`,
            required: parameter.required === true,
            about: [parameter.description, parameter.schema?.default === undefined ? '' : `Otherwise ${parameter.schema.default}`]
              .filter(Boolean)
              .join('. '),
          }))}
        />
      )}
      {Object.entries(requestBody?.content ?? {}).map(([type, media]) => (
        <Body key={type} label={`Body of ${name}`} title={`Body · ${type}`} media={media} document={document} />
      ))}
      {Object.entries(responses)
        .filter(([status]) => Number(status) < 400)
        .map(([status, answer]) => {
          const media = Object.entries(answer.content ?? {});
          const title = `${status} · ${answer.description ?? ''}`;
          return media.length === 0 ? (
            <h3 key={status} className="text-base">
              {inline(title)}
            </h3>
          ) : (
            media.map(([type, one]) => (
              <Body
                key={status + type}
                label={`Answer ${status} of ${name}`}
                title={title}
                media={one}
                document={document}
                answer
              />
            ))
          );
        })}
      <div>
        <h3 className="mb-1.5 text-base">Refusals</h3>
        <ul className="grid grid-cols-[minmax(0,1fr)] gap-x-6 gap-y-1 text-sm lg:grid-cols-2">
          {Object.entries(responses)
            .filter(([status]) => Number(status) >= 400)
            .map(([status, answer]) => (
              <li key={status} className="flex flex-wrap items-baseline gap-x-2.5">
                <span className="font-medium">{status}</span>
                {Object.keys(Object.values(answer.content ?? {})[0]?.examples ?? {}).map((code) => (
                  <code key={code} className="font-mono text-soft text-xs">
                    {code}
                  </code>
                ))}
              </li>
            ))}
        </ul>
      </div>
      <div>
        <div className="mb-1.5 flex items-center justify-between gap-3">
          <h3 className="text-base">With curl</h3>
          <CopyButton text={curl} label="Copy the command" />
        </div>
        <Code label={`curl for ${name}`} text={curl} />
      </div>
    </div>
  );
}

interface BodyProps {
  label: string;
  title: string;
  media: Media;
  document: ApiDocument;
  /** It comes from us: nobody is asked for its fields. */
  answer?: boolean;
}

function Body({ label, title, media, document, answer = false }: BodyProps) {
  const fields = fieldsOf(media.schema ?? {}, document);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-3 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <FieldTable
        label={`${label}: fields`}
        title={title}
        rows={answer ? fields.map((row) => ({ ...row, required: false })) : fields}
      />
      {media.example !== undefined && <Code label={`${label}: example`} text={shown(media.example)} />}
    </div>
  );
}
