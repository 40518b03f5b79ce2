import { Panel } from '#/components/ui/Panel.tsx';
import { Facts } from '#/components/ui/Readout.tsx';
import { formatCount, formatOf } from '#/components/units.ts';
import type { Advice } from '#/domain/foresight/advice.ts';
import type { TextForecast } from '#/domain/foresight/foresee.ts';
import { AdviceList } from './AdviceList.tsx';
import { formatBetween, formatHours, formatUsd } from './forecast-words.ts';
import { MemoryBar } from './MemoryBar.tsx';

interface ForecastCardProps {
  /** Null: something of the form is missing or wrong. */
  forecast: TextForecast | null;
  device: string;
  /** Whether a model is chosen whose shape the planner counts with. */
  knows_model: boolean;
  canApply(advice: Advice): boolean;
  onApply(advice: Advice): void;
}

/** What the training will cost, take and need, as it is typed: from the planner, with the interval of each. */
export function ForecastCard({ forecast, device, knows_model, canApply, onApply }: ForecastCardProps) {
  const dash = '–';
  const { estimate, cost, hours, foreseen, plan } = forecast ?? {};
  const told = (value: string | undefined) => value ?? dash;
  const between = cost && formatBetween(cost, formatUsd);
  const span = hours && formatBetween(hours, formatHours);
  return (
    <Panel title="What it takes">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <b className="font-medium text-2xl">{told(cost && formatUsd(cost.figure))}</b>
        <span className="text-soft text-sm">{between ?? 'in total'}</span>
      </p>
      <Facts
        className="mt-3"
        facts={[
          ['Compute', told(estimate && formatUsd(estimate.cost.compute))],
          ['Storage', told(estimate && formatUsd(estimate.cost.storage))],
          [
            'Time',
            <span key="time" className="grid">
              {told(hours && formatHours(hours.figure))}
              {span && <span className="text-soft text-sm">{span}</span>}
            </span>,
          ],
          ['An hour', told(estimate && formatUsd(estimate.hourly_rate))],
          ['Steps', told(estimate && formatCount(estimate.total_steps))],
          ['Tokens a second', told(estimate && formatCount(estimate.tokens_per_second))],
          ['Rows are cut at', told(plan && plan.max_seq_length < 1e9 ? `${formatCount(plan.max_seq_length)} tokens` : undefined)],
        ]}
      />
      {/* As tall without a forecast: the button below stays where it is while a number is typed. */}
      <div className="mt-4 grid min-h-47 content-start gap-4 border-t pt-4">
        {foreseen ? (
          <>
            <MemoryBar foreseen={foreseen} />
            {plan && <p className="text-soft text-sm">{passesWords(plan)}</p>}
            {forecast?.estimate.tokens_counted === false && (
              <p className="text-sm text-warn">
                The rows’ tokens are not counted: time goes by the size of the file, memory by a row of the full length.
              </p>
            )}
            <AdviceList advice={foreseen.advice} canApply={canApply} onApply={onApply} />
            <p className="text-soft text-sm">{evidenceWords(forecast?.evidence.runs ?? 0)}</p>
          </>
        ) : (
          <p className="text-soft text-sm">
            {forecast ? unknownWords(knows_model, device) : 'Memory is told once there is a dataset, a model and no fault.'}
          </p>
        )}
      </div>
    </Panel>
  );
}

/** How a step goes through the device. */
function passesWords({ micro_batch, grad_accum, devices, gradient_checkpointing }: TextForecast['plan']): string {
  const each = devices > 1 ? ' on each device' : '';
  const passes = `A step goes through in ${formatOf(grad_accum, 'pass', 'passes')} of ${formatOf(micro_batch, 'row')}${each}`;
  return gradient_checkpointing ? `${passes}, with gradient checkpointing.` : `${passes}.`;
}

function unknownWords(knows_model: boolean, device: string): string {
  if (!knows_model)
    return 'Memory and time are told once there is a model whose shape is known; until then time is the catalogue’s.';
  return `It is not known what ${device} computes like: an administrator says it with PATCH /api/gpu-catalog/${device}.`;
}

function evidenceWords(runs: number): string {
  return runs === 0
    ? 'Foretold by formula: no finished run like it yet.'
    : `Stands on ${formatOf(runs, 'finished run')} like it.`;
}
