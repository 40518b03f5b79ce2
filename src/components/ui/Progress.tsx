import { classNames } from '#/components/class-names.ts';

interface ProgressProps {
  /** Percent, 0 to 100; null while it is not known. */
  value: number | null;
  label: string;
  tone?: 'accent' | 'good' | 'bad' | 'plain';
  className?: string;
}

const TONES = { accent: 'bg-accent', good: 'bg-good', bad: 'bg-bad', plain: 'bg-edge' };

export function Progress({ value, label, tone = 'accent', className }: ProgressProps) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(value)}
      className={classNames('h-1.5 overflow-hidden rounded-full bg-hover', className)}
    >
      <div
        className={classNames('h-full origin-left rounded-full', TONES[tone], value === null && 'w-1/3 animate-breathe')}
        style={value === null ? undefined : { transform: `scaleX(${value / 100})` }}
      />
    </div>
  );
}
