'use client';
import { Download } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, DownloadLink } from '#/components/ui/Button.tsx';
import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { formatOf } from '#/components/units.ts';
import type { Artifact } from '#/contract/artifacts.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { addressOf } from '#/hooks/api.ts';
import { saveText } from '#/hooks/save-text.ts';
import { useJobArtifacts } from '#/hooks/useJobArtifacts.ts';

/** What the run made: its files to download, the lines that load them, and its passport. */
export function ResultPanel({ job_id }: { job_id: string }) {
  const { data, error, refetch } = useJobArtifacts(job_id);
  if (error && !data) return <QueryFault what="The result" error={error} retry={refetch} />;
  if (!data) {
    return (
      <Panel flush title="Result">
        <SkeletonRows rows={3} label="The result is being fetched" />
      </Panel>
    );
  }
  return data.map((artifact) => <Result key={artifact.id} artifact={artifact} />);
}

function Result({ artifact }: { artifact: Artifact }) {
  const address = addressOf('/api/artifacts/{id}/download', { id: artifact.id });
  const passport = `${JSON.stringify(artifact.passport, null, 2)}\n`;
  const has_passport = Object.keys(artifact.passport).length > 0;
  const passport_bytes = has_passport ? new TextEncoder().encode(passport).length : 0;
  return (
    <Panel
      flush
      title={artifact.kind === 'adapter' ? 'The adapter' : artifact.name}
      aside={
        <DownloadLink href={address} variant="primary" size="sm">
          <Download aria-hidden />
          Download all, {formatBytes(artifact.size + passport_bytes)}
        </DownloadLink>
      }
    >
      <div className="grid lg:grid-cols-2">
        <div className="min-w-0 lg:border-r">
          <h3 className="px-4 pt-3 pb-1 text-soft text-xs">{formatOf(artifact.files.length + (has_passport ? 1 : 0), 'file')}</h3>
          <ul aria-label="Files of the adapter" className="pb-2">
            {artifact.files.map(({ id, path, bytes, sha256 }) => (
              <FileRow
                key={id}
                path={path}
                bytes={bytes}
                about={
                  <span className="truncate" title={sha256}>
                    sha256 <code className="font-mono">{sha256.slice(0, 16)}…</code>
                  </span>
                }
              >
                <DownloadLink
                  href={addressOf('/api/artifacts/{id}/download', { id: artifact.id }, { file: id })}
                  variant="ghost"
                  size="icon"
                  aria-label={`Download ${path}`}
                >
                  <Download aria-hidden />
                </DownloadLink>
              </FileRow>
            ))}
            {has_passport && (
              <FileRow path="passport.json" bytes={passport_bytes} about="dataset, versions, seed and configuration of the run">
                <Button
                  variant="ghost"
                  size="icon"
                  aria-label="Download passport.json"
                  onClick={() => saveText('passport.json', passport, 'application/json')}
                >
                  <Download aria-hidden />
                </Button>
              </FileRow>
            )}
          </ul>
        </div>
        <div className="min-w-0 border-t p-4 lg:border-t-0">
          <div className="mb-2 flex items-center justify-between gap-3">
            <h3 className="text-sm">Load it in Python</h3>
            <CopyButton text={artifact.loading.text} />
          </div>
          <Scroll label="Lines that load the adapter" className="overflow-x-auto rounded-md border bg-sunken p-3">
            <pre className="whitespace-pre-wrap font-mono text-xs [overflow-wrap:anywhere]">{artifact.loading.text}</pre>
          </Scroll>
          {has_passport && (
            <details className="mt-3">
              <summary className="w-fit cursor-pointer rounded-sm font-medium text-sm">Passport of the run</summary>
              <div className="mt-2 flex flex-wrap items-start justify-between gap-3">
                <p className="text-pretty text-soft text-sm">
                  What it was made from, by which versions, with which seed and configuration: enough to make it again.
                </p>
                <CopyButton text={passport} label="Copy JSON" />
              </div>
              <Scroll label="Passport" className="mt-2 max-h-80 overflow-auto rounded-md border bg-sunken p-3">
                <pre className="font-mono text-sm">{passport}</pre>
              </Scroll>
            </details>
          )}
        </div>
      </div>
    </Panel>
  );
}

interface FileRowProps {
  path: string;
  bytes: number;
  about: ReactNode;
  /** How to get it. */
  children: ReactNode;
}

function FileRow({ path, bytes, about, children }: FileRowProps) {
  return (
    <li className="flex items-center justify-between gap-3 px-4 py-1">
      <div className="min-w-0">
        <p className="truncate font-mono text-sm">{path}</p>
        <p className="flex items-center gap-2 text-soft text-xs">
          <span className="whitespace-nowrap">{formatBytes(bytes)}</span>
          {about}
        </p>
      </div>
      {children}
    </li>
  );
}
