import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { classNames } from '#/components/class-names.ts';

const TONES = {
  info: { icon: Info, look: 'bg-accent-wash border-accent/35', mark: 'text-accent' },
  good: { icon: CircleCheck, look: 'bg-good-wash border-good/35', mark: 'text-good' },
  warn: { icon: TriangleAlert, look: 'bg-warn-wash border-warn/35', mark: 'text-warn' },
  bad: { icon: CircleAlert, look: 'bg-bad-wash border-bad/35', mark: 'text-bad' },
} as const;

interface AlertProps {
  tone: keyof typeof TONES;
  title: ReactNode;
  children?: ReactNode;
  /** Buttons or links that lead on. */
  actions?: ReactNode;
  className?: string;
}

/** A message in place. What went wrong is announced; the rest waits to be read. */
export function Alert({ tone, title, children, actions, className }: AlertProps) {
  const { icon: Icon, look, mark } = TONES[tone];
  return (
    <div
      role={tone === 'bad' ? 'alert' : 'note'}
      className={classNames('flex gap-3 rounded-md border px-3.5 py-3', look, className)}
    >
      <Icon aria-hidden className={classNames('mt-0.5 size-4.5 shrink-0', mark)} />
      <div className="min-w-0 flex-1 space-y-1">
        <p className="font-medium">{title}</p>
        {children && <div className="text-soft [overflow-wrap:anywhere]">{children}</div>}
        {actions && <div className="flex flex-wrap gap-2 pt-1.5">{actions}</div>}
      </div>
    </div>
  );
}
