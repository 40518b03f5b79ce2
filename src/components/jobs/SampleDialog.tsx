'use client';
import { ChevronLeft, ChevronRight, Download } from 'lucide-react';
import Image from 'next/image';
import { useEffect, useEffectEvent, useState } from 'react';
import { Button, DownloadLink } from '#/components/ui/Button.tsx';
import { Dialog } from '#/components/ui/Dialog.tsx';
import { Field, Select } from '#/components/ui/Field.tsx';
import { Scroll } from '#/components/ui/Scroll.tsx';
import { formatCount } from '#/components/units.ts';
import type { TrainingSample } from '#/contract/job-outputs.ts';
import { formatBytes } from '#/domain/bytes.ts';
import type { SampleGrid } from '#/hooks/sample-grid.ts';

/** Which sample of the grid is looked at. */
export interface OpenedSample {
  /** Of its row. */
  key: string;
  step: number;
}

interface SampleDialogProps {
  grid: SampleGrid;
  opened: OpenedSample | null;
  onMove(to: OpenedSample | null): void;
}

const isShown = (sample: TrainingSample | null): sample is TrainingSample =>
  sample !== null && (sample.text !== null || sample.image_url !== null);

/** One sample as large as the screen takes it, beside another step's if that is wanted; arrow keys go from step to step. */
export function SampleDialog({ grid, opened, onMove }: SampleDialogProps) {
  const [beside, setBeside] = useState<number | null>(null);
  const row = grid.rows.find(({ key }) => key === opened?.key);
  const shown = row?.cells.filter(isShown) ?? [];
  const at = shown.findIndex(({ step }) => step === opened?.step);
  const sample = shown[at];
  const other = shown.find(({ step }) => step === beside && step !== sample?.step);
  const go = (by: number) => {
    const to = shown[at + by];
    if (opened !== null && to !== undefined) onMove({ key: opened.key, step: to.step });
  };
  useArrowKeys(sample !== undefined, go);
  return (
    <Dialog
      wide
      open={sample !== undefined}
      onOpenChange={() => onMove(null)}
      title={sample === undefined ? 'Sample' : `Step ${formatCount(sample.step)}`}
      description={<p className="max-h-24 overflow-y-auto text-pretty [overflow-wrap:anywhere]">{sample?.prompt}</p>}
      actions={
        sample?.image_url != null && (
          <DownloadLink href={sample.image_url}>
            <Download aria-hidden />
            Download
          </DownloadLink>
        )
      }
    >
      {sample !== undefined && (
        <>
          <div className="mb-3 flex flex-wrap items-end justify-between gap-3">
            <div className="flex gap-2">
              <Button disabled={at === 0} onClick={() => go(-1)}>
                <ChevronLeft aria-hidden />
                Earlier
              </Button>
              <Button disabled={at === shown.length - 1} onClick={() => go(1)}>
                Later
                <ChevronRight aria-hidden />
              </Button>
            </div>
            {shown.length > 1 && (
              <Field label="Beside it">
                {(control) => (
                  <Select
                    {...control}
                    value={other === undefined ? '' : String(other.step)}
                    onChange={({ target }) => setBeside(target.value === '' ? null : Number(target.value))}
                  >
                    <option value="">Nothing</option>
                    {shown.map(({ step }) => (
                      <option key={step} value={step} disabled={step === sample.step}>
                        Step {formatCount(step)}
                      </option>
                    ))}
                  </Select>
                )}
              </Field>
            )}
          </div>
          <div className={other === undefined ? '' : 'grid grid-cols-2 gap-2 sm:gap-4'}>
            {[...(other === undefined ? [] : [other]), sample]
              .sort((a, b) => a.step - b.step)
              .map((one) => (
                <Large key={one.step} sample={one} is_named={other !== undefined} />
              ))}
          </div>
          <p aria-live="polite" className="sr-only">
            Step {formatCount(sample.step)}, {at + 1} of {shown.length}
          </p>
        </>
      )}
    </Dialog>
  );
}

function Large({ sample, is_named }: { sample: TrainingSample; is_named: boolean }) {
  const { step, prompt, text, image_url, width, height, seed, bytes } = sample;
  return (
    <figure className="grid min-w-0 content-start gap-1.5">
      {image_url === null ? (
        <Scroll
          label={`Answer at step ${formatCount(step)}`}
          className="max-h-[50dvh] overflow-auto rounded-md border bg-sunken p-3"
        >
          <p className="max-w-[80ch] whitespace-pre-wrap text-sm [overflow-wrap:anywhere]">{text}</p>
        </Scroll>
      ) : (
        <Image
          unoptimized
          src={image_url}
          alt={`Step ${formatCount(step)}: ${prompt}`}
          width={width ?? 1}
          height={height ?? 1}
          className="max-h-[56dvh] w-full rounded-md border bg-sunken object-contain"
        />
      )}
      <figcaption className="text-soft text-xs">
        {is_named && `Step ${formatCount(step)}${image_url === null ? '' : ' · '}`}
        {image_url !== null && `seed ${seed} · ${width} × ${height} · ${formatBytes(bytes ?? 0)}`}
      </figcaption>
    </figure>
  );
}

/** Left and right, wherever the focus is in the dialog; in a list of choices they are the list's own. */
function useArrowKeys(is_open: boolean, go: (by: number) => void): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.target instanceof HTMLSelectElement) return;
    if (event.key === 'ArrowLeft') go(-1);
    if (event.key === 'ArrowRight') go(1);
  });
  useEffect(() => {
    if (!is_open) return;
    const listen = (event: KeyboardEvent) => onKey(event);
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, [is_open]);
}
