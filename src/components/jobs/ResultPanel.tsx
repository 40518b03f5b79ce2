'use client';
import { Download } from 'lucide-react';
import { Button, DownloadLink } from '#/components/ui/Button.tsx';
import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { formatOf } from '#/components/units.ts';
import type { Artifact } from '#/contract/artifacts.ts';
import { formatBytes } from '#/domain/bytes.ts';
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
  const address = `/api/artifacts/${artifact.id}/download`;
  const passport = JSON.stringify(artifact.passport, null, 2);
  return (
    <Panel
      flush
      title={artifact.kind === 'adapter' ? 'The adapter' : artifact.name}
      aside={
        <DownloadLink href={address} variant="primary" size="sm">
          <Download aria-hidden />
          Download all, {formatBytes(artifact.size)}
        </DownloadLink>
      }
    >
      <div className="grid lg:grid-cols-2">
        <div className="min-w-0 lg:border-r">
          <h3 className="px-4 pt-3 pb-1 text-soft text-xs">{formatOf(artifact.files.length, 'file')}</h3>
          <ul aria-label="Files of the adapter" className="pb-2">
            {artifact.files.map((file) => (
              <li key={file.id} className="flex items-center justify-between gap-3 px-4 py-1">
                <div className="min-w-0">
                  <p className="truncate font-mono text-sm">{file.path}</p>
                  <p className="flex items-center gap-2 text-soft text-xs">
                    <span className="whitespace-nowrap">{formatBytes(file.bytes)}</span>
                    <span className="truncate" title={file.sha256}>
                      sha256 <code className="font-mono">{file.sha256.slice(0, 16)}…</code>
                    </span>
                  </p>
                </div>
                <DownloadLink
                  href={`${address}?file=${file.id}`}
                  variant="ghost"
                  size="icon"
                  aria-label={`Download ${file.path}`}
                >
                  <Download aria-hidden />
                </DownloadLink>
              </li>
            ))}
          </ul>
        </div>
        <div className="min-w-0 border-t p-4 lg:border-t-0">
          <div className="mb-2 flex items-center justify-between gap-3">
            <h3 className="text-sm">Load it in Python</h3>
            <CopyButton text={artifact.loading.text} />
          </div>
          <Scroll label="Lines that load the adapter" className="overflow-x-auto rounded-md border bg-sunken p-3">
            <pre className="font-mono text-sm">{artifact.loading.text}</pre>
          </Scroll>
          <details className="mt-3">
            <summary className="w-fit cursor-pointer rounded-sm font-medium text-sm">Passport of the run</summary>
            <div className="mt-2 flex flex-wrap items-start justify-between gap-3">
              <p className="text-pretty text-soft text-sm">
                What it was made from, by which versions, with which seed and configuration: enough to make it again.
              </p>
              <span className="flex shrink-0 gap-2">
                <CopyButton text={passport} label="Copy JSON" />
                <Button size="sm" onClick={() => saveText('passport.json', passport, 'application/json')}>
                  <Download aria-hidden />
                  Download
                </Button>
              </span>
            </div>
            <Scroll label="Passport" className="mt-2 max-h-80 overflow-auto rounded-md border bg-sunken p-3">
              <pre className="font-mono text-sm">{passport}</pre>
            </Scroll>
          </details>
        </div>
      </div>
    </Panel>
  );
}
