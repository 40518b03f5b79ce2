import { Button } from '#/components/ui/Button.tsx';
import { CopyButton } from '#/components/ui/CopyButton.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { Facts } from '#/components/ui/Readout.tsx';
import type { Dataset } from '#/contract/datasets.ts';
import { shapeWords } from './dataset-words.ts';

/** How the file is read, and what it is. `onRemap` opens the choice of another way; null where there is none. */
export function FileFacts({ dataset, onRemap }: { dataset: Dataset; onRemap: (() => void) | null }) {
  const { format, mapping, invalid_rows, version, checksum } = dataset;
  return (
    <Panel
      title="File"
      aside={
        onRemap !== null && (
          <Button size="sm" onClick={onRemap}>
            Change the columns
          </Button>
        )
      }
    >
      <Facts
        facts={[
          ['Form', shapeWords(format)],
          ...Object.entries(mapping).map(([field, column]): [string, string] => [`Column of ${field}`, column]),
          ['Broken rows', invalid_rows === 'skip' ? 'are left out' : 'refuse the dataset'],
          ['Version', version],
          [
            'SHA-256',
            checksum === null ? (
              '–'
            ) : (
              <span key="sum" className="flex flex-wrap items-center gap-2">
                <code className="font-mono text-sm">{checksum.slice(0, 16)}…</code>
                <CopyButton text={checksum} />
              </span>
            ),
          ],
        ]}
      />
    </Panel>
  );
}
