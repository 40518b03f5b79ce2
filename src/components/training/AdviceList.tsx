import { Button } from '#/components/ui/Button.tsx';
import type { Advice } from '#/domain/foresight/advice.ts';

interface AdviceListProps {
  advice: readonly Advice[];
  /** Whether its changes are fields of the form. */
  canApply(advice: Advice): boolean;
  onApply(advice: Advice): void;
}

const SHOWN = 5;

/** What would make it fit, each with a button where the form can do it. */
export function AdviceList({ advice, canApply, onApply }: AdviceListProps) {
  if (advice.length === 0) return null;
  return (
    <div className="grid gap-2">
      <h3 className="font-medium text-sm">What would help</h3>
      <ul className="grid gap-2.5 text-sm">
        {advice.slice(0, SHOWN).map((one) => (
          <li key={one.sentence} className="grid gap-1.5">
            <span className={one.available ? undefined : 'text-soft'}>{one.sentence}</span>
            {one.available && canApply(one) && (
              <Button size="sm" className="justify-self-start" onClick={() => onApply(one)}>
                Set it
                <span className="sr-only"> {one.sentence}</span>
              </Button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
