import { Panel } from '#/components/ui/Panel.tsx';
import { Facts, Readout } from '#/components/ui/Readout.tsx';
import { Table, Td, Th } from '#/components/ui/Table.tsx';
import { formatCount, formatOf, formatShare } from '#/components/units.ts';
import type { Dataset } from '#/contract/datasets.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { type ImageBucket, type ImageReport, leftOver } from '#/domain/image-report.ts';
import { reasonWords } from './dataset-words.ts';

/** A batch that a picture training hardly exceeds on one GPU. */
const BATCH = 4;

/** What a check says of pictures: figures, buckets, folders, and what is worth knowing of single files. */
export function ImageReportPanels({ dataset, report }: { dataset: Dataset; report: ImageReport }) {
  const { short, long } = report.sides;
  return (
    <>
      <Readout
        readings={[
          { label: 'Pictures', value: formatCount(report.images), note: `of ${formatCount(report.rows_total)} files` },
          { label: 'Class images', value: formatCount(report.class_images) },
          { label: 'An epoch takes', value: formatCount(report.samples_per_epoch) },
          { label: 'With caption', value: formatCount(report.captions.with) },
          { label: 'Short side', value: short === null ? '–' : formatCount(short.median), note: 'px, median' },
          { label: 'Long side', value: long === null ? '–' : formatCount(long.median), note: 'px, median' },
          { label: 'Duplicates', value: formatCount(report.duplicates) },
        ]}
      />
      <Findings dataset={dataset} />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        {Object.entries(report.buckets).map(([resolution, buckets]) => (
          <Buckets key={resolution} resolution={resolution} buckets={buckets} />
        ))}
      </div>
      <Panel title="Folders and file">
        <Facts
          facts={[
            ...report.folders.map(({ folder, repeats, is_class, images }): [string, string] => [
              folder === '' ? 'Without a folder' : folder,
              `${formatOf(images, 'picture')}, ${repeats === 1 ? 'once' : `${repeats} times`} an epoch${is_class ? ', class images' : ''}`,
            ]),
            ...(report.folders_total > report.folders.length
              ? [['More folders', formatCount(report.folders_total - report.folders.length)] as [string, string]]
              : []),
            [
              'Formats',
              Object.entries(report.formats)
                .map(([name, count]) => `${name} ${formatCount(count)}`)
                .join(', ') || '–',
            ],
            ['Written anew', `${formatBytes(dataset.size_bytes)}, without EXIF, in sRGB`],
          ]}
        />
      </Panel>
    </>
  );
}

function Buckets({ resolution, buckets }: { resolution: string; buckets: ImageBucket[] }) {
  const left = leftOver(buckets, BATCH);
  return (
    <Panel
      flush
      title={`Buckets at ${resolution}`}
      aside={
        <span className="text-soft text-sm">
          {left === 0 ? `batches of ${BATCH} come out even` : `${formatCount(left)} left over in batches of ${BATCH}`}
        </span>
      }
    >
      <Table label={`Buckets at ${resolution}`} className="text-sm">
        <thead>
          <tr>
            <Th>Size</Th>
            <Th className="text-right">Pictures</Th>
            <Th className="text-right">An epoch</Th>
            <Th className="text-right">Enlarged</Th>
            <Th className="text-right">Cut off</Th>
          </tr>
        </thead>
        <tbody>
          {buckets.map(({ width, height, images, samples, enlarged, cut_share }) => (
            <tr key={`${width}x${height}`} className="group">
              <Td className="whitespace-nowrap">
                {width} × {height}
              </Td>
              <Td className="text-right">{formatCount(images)}</Td>
              <Td className="text-right">{formatCount(samples)}</Td>
              <Td className="text-right">{formatCount(enlarged)}</Td>
              <Td className="text-right">{formatShare(cut_share)}</Td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

/** Single files: what keeps one out, and what is only worth knowing. */
function Findings({ dataset }: { dataset: Dataset }) {
  const refused = dataset.validation_errors.flatMap(({ file, code, message }) =>
    file === undefined ? [] : [{ file, code, message, is_refused: true }],
  );
  const rows = [...refused, ...dataset.findings.map((finding) => ({ ...finding, is_refused: false }))];
  if (rows.length === 0) return null;
  return (
    <Panel flush title="File by file" aside={<span className="text-soft text-sm">the first of each kind</span>}>
      <Table label="File by file" className="text-sm">
        <thead>
          <tr>
            <Th>File</Th>
            <Th>What</Th>
            <Th>Why</Th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ file, code, message, is_refused }) => (
            <tr key={`${file} ${code}`} className="group">
              <Td className="min-w-40 align-top [overflow-wrap:anywhere]">{file}</Td>
              <Td className={is_refused ? 'align-top text-bad' : 'align-top'}>
                {is_refused ? 'Refused: ' : ''}
                {reasonWords(code)}
              </Td>
              <Td className="min-w-56 align-top">{message}</Td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}
