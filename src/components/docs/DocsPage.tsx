'use client';
import { FileJson, SearchX } from 'lucide-react';
import { useEffect, useState } from 'react';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { EmptyState } from '#/components/ui/EmptyState.tsx';
import { Input } from '#/components/ui/Field.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { formatOf } from '#/components/units.ts';
import type { ApiDocument } from '#/contract/api-document.ts';
import { addressOf } from '#/hooks/api.ts';
import { useApiDocument } from '#/hooks/useApiDocument.ts';
import { OperationRow } from './OperationRow.tsx';
import { listOperations, matching } from './operations.ts';
import { Prose } from './Prose.tsx';

const TAG = 'tag-';
const tagId = (name: string): string => TAG + name.replaceAll(' ', '-');
const capital = (text: string): string => (text === 'gpus' ? 'GPUs' : text.charAt(0).toUpperCase() + text.slice(1));

/** The operation or the tag that the address names, also when it changes by a click on this page. */
function useNamed(): string {
  const [named, setNamed] = useState('');
  useEffect(() => {
    const look = () => setNamed(decodeURIComponent(location.hash.slice(1)));
    look();
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, []);
  return named;
}

/** The API as its own document says it: drawn by the studio itself, with nothing from elsewhere. */
export function DocsPage() {
  const { data, error, refetch } = useApiDocument();
  return (
    <>
      <PageHeader
        title="API reference"
        actions={
          <a
            href={addressOf('/openapi.json', {})}
            className="inline-flex h-9 items-center gap-2 rounded-md border bg-panel px-3 font-medium hover:bg-hover"
          >
            <FileJson aria-hidden className="size-4 text-soft" />
            OpenAPI document
          </a>
        }
      >
        Everything that the pages do goes through this API.
      </PageHeader>
      {error && data === undefined ? (
        <QueryFault what="The API reference" error={error} retry={refetch} />
      ) : data === undefined ? (
        <Panel flush>
          <SkeletonRows rows={12} label="The API reference is being fetched" />
        </Panel>
      ) : (
        <Reference document={data} />
      )}
    </>
  );
}

function Reference({ document }: { document: ApiDocument }) {
  const [words, setWords] = useState('');
  const named = useNamed();
  const all = listOperations(document);
  const found = matching(all, words);
  useEffect(() => {
    if (named.startsWith(TAG)) globalThis.document.getElementById(named)?.scrollIntoView({ block: 'start' });
  }, [named]);
  const tags = (document.tags ?? []).filter(({ name }) => found.some(({ tag }) => tag === name));
  const ofTag = (name: string) => found.filter(({ tag }) => tag === name);
  return (
    <div className="space-y-5">
      <Panel>
        <Prose text={document.info.description} />
      </Panel>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p role="status" className="text-soft text-sm">
          {formatOf(found.length, 'operation')}
        </p>
        <Input
          type="search"
          aria-label="Search operations by method, path or summary"
          placeholder="Search"
          className="w-full sm:w-72"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      </div>
      {tags.length > 0 && (
        <nav aria-label="Contents">
          <ul className="flex flex-wrap gap-2">
            {tags.map(({ name }) => (
              <li key={name}>
                <a
                  href={`#${tagId(name)}`}
                  className="inline-flex h-8 items-center gap-2 rounded-md border bg-panel px-2.5 text-sm hover:bg-hover"
                >
                  {capital(name)}
                  <span className="text-soft text-xs">{ofTag(name).length}</span>
                </a>
              </li>
            ))}
          </ul>
        </nav>
      )}
      {tags.map(({ name, description }) => (
        <Panel
          key={name}
          id={tagId(name)}
          className="scroll-mt-3"
          flush
          title={capital(name)}
          aside={<span className="text-soft text-sm">{description}</span>}
        >
          <div className="divide-y">
            {ofTag(name).map((listed) => (
              <OperationRow key={listed.id} listed={listed} document={document} open={listed.id === named} />
            ))}
          </div>
        </Panel>
      ))}
      {found.length === 0 && (
        <EmptyState
          icon={SearchX}
          title={`No operation matches “${words}”`}
          actions={<Button onClick={() => setWords('')}>Show all operations</Button>}
        >
          Method, path, subject and summary are searched.
        </EmptyState>
      )}
    </div>
  );
}
