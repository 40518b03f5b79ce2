import { Badge } from '#/components/ui/Badge.tsx';
import type { Foreseen } from '#/domain/foresight/foresee.ts';
import { formatGb, VERDICT_WORDS } from './forecast-words.ts';

const FILL = { fits: 'bg-good', tight: 'bg-warn', will_not_fit: 'bg-bad' } as const;

/** What the training needs of its device's memory: the figure filled, what it may come to paler, the device's end as a line. */
export function MemoryBar({ foreseen }: { foreseen: Foreseen }) {
  const { device_bytes, device, verdict } = foreseen;
  const scale = Math.max(device.memory_bytes, device_bytes.high);
  const at = (bytes: number) => `${Math.min(100, (100 * bytes) / scale)}%`;
  const { word, tone } = VERDICT_WORDS[verdict];
  return (
    <div className="grid gap-1.5">
      <div className="flex items-center justify-between gap-3">
        <span className="text-soft">Memory</span>
        <Badge tone={tone}>{word}</Badge>
      </div>
      <div aria-hidden className="relative h-2.5 overflow-hidden rounded-sm bg-hover">
        <span className={`absolute inset-y-0 left-0 opacity-35 ${FILL[verdict]}`} style={{ width: at(device_bytes.high) }} />
        <span className={`absolute inset-y-0 left-0 ${FILL[verdict]}`} style={{ width: at(device_bytes.figure) }} />
        <span className="absolute inset-y-0 w-0.5 bg-ink" style={{ left: `calc(${at(device.memory_bytes)} - 2px)` }} />
      </div>
      <p className="text-sm">
        <b className="font-medium">{formatGb(device_bytes.figure)}</b> of {formatGb(device.memory_bytes)} GB
        <span className="text-soft">
          {' '}
          · {formatGb(device_bytes.low)} – {formatGb(device_bytes.high)} GB on {device.name}
        </span>
      </p>
    </div>
  );
}
