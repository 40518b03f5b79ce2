'use client';
import 'uplot/dist/uPlot.min.css';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { type LineChart, makeLineChart } from '#/components/charts/line-chart.ts';
import { classNames } from '#/components/class-names.ts';
import { Button } from '#/components/ui/Button.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { Segments } from '#/components/ui/Segments.tsx';
import { formatCount, formatDuration, formatFigure } from '#/components/units.ts';
import type { MetricPoint } from '#/contract/job-reads.ts';
import { type CurveAxis, type LossCurve, lossCurve } from '#/hooks/loss-curve.ts';

const SMOOTHING = 0.6;
const SMOOTHING_MAX = 0.98;

interface LossChartProps {
  points: readonly MetricPoint[];
  /** What to say while there is no point yet. */
  waiting: string;
}

/** The loss of a run: raw trace behind its smoothed line, evaluation loss over both. */
export function LossChart({ points, waiting }: LossChartProps) {
  const [axis, setAxis] = useState<CurveAxis>('step');
  const [scale, setScale] = useState<'linear' | 'log'>('linear');
  const [smoothing, setSmoothing] = useState(SMOOTHING);
  const [row, setRow] = useState<number | null>(null);
  const [zoomed, setZoomed] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<LineChart | null>(null);
  const curve = useMemo(() => lossCurve(points, axis, smoothing), [points, axis, smoothing]);
  const newest = useRef(curve);
  newest.current = curve;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const ended = new AbortController();
    const log = scale === 'log';
    const options = {
      log,
      lines: [
        { label: 'Loss of each step', colour: 'accent', width: 1, strength: 0.45 },
        { label: 'Loss, smoothed', colour: 'accent', width: 2 },
        { label: 'Evaluation loss', colour: 'copper', width: 1.75, dots: true },
      ],
      whole_x: axis === 'step',
      formatX: axis === 'step' ? formatCount : (seconds: number) => formatDuration(seconds * 1000),
      onRow: setRow,
      onZoom: setZoomed,
    } satisfies Parameters<typeof makeLineChart>[1];
    void makeLineChart(element, options, ended.signal).then((made) => {
      chart.current = made;
      made?.setData(columns(newest.current, log));
    });
    return () => {
      ended.abort();
      chart.current?.destroy();
      chart.current = null;
      setRow(null);
      setZoomed(false);
    };
  }, [axis, scale]);

  useEffect(() => chart.current?.setData(columns(curve, scale === 'log')), [curve, scale]);

  const onKeyDown = (event: KeyboardEvent) => {
    const rows = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    if (rows === undefined) return;
    event.preventDefault();
    chart.current?.moveCursor(rows);
  };

  const empty = curve.x.length === 0;
  return (
    <Panel
      title="Loss"
      aside={
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <label htmlFor="smoothing" className="order-last flex items-center gap-2 text-soft text-sm sm:order-none sm:mr-1">
            Smoothing
            <input
              id="smoothing"
              type="range"
              min={0}
              max={SMOOTHING_MAX}
              step={0.02}
              value={smoothing}
              onChange={(event) => setSmoothing(Number(event.target.value))}
              className="w-24 accent-(--color-accent)"
            />
          </label>
          <Segments<CurveAxis>
            label="Horizontal axis"
            value={axis}
            onChange={setAxis}
            options={[
              ['step', 'Step'],
              ['time', 'Time'],
            ]}
          />
          <Segments<'linear' | 'log'>
            label="Vertical axis"
            value={scale}
            onChange={setScale}
            options={[
              ['linear', 'Linear'],
              ['log', 'Log'],
            ]}
          />
        </div>
      }
    >
      <Legend curve={curve} row={row} axis={axis} zoomed={zoomed} onReset={() => chart.current?.resetZoom()} />
      <div className="relative mt-2">
        <div
          ref={host}
          role="slider"
          aria-label="Loss curve, point by point"
          aria-valuemin={0}
          aria-valuemax={Math.max(0, curve.x.length - 1)}
          aria-valuenow={row ?? Math.max(0, curve.x.length - 1)}
          aria-valuetext={inWords(curve, row, axis)}
          tabIndex={0}
          onKeyDown={onKeyDown}
          className={classNames('h-72 rounded-sm lg:h-84', empty && 'opacity-0')}
        />
        {empty && <p className="absolute inset-0 grid place-items-center px-6 text-center text-soft">{waiting}</p>}
      </div>
    </Panel>
  );
}

/** On a logarithmic axis what is not above zero has no place. */
function columns({ x, loss, smooth, eval_loss }: LossCurve, log: boolean): [number[], ...(number | null)[][]] {
  const above = (values: (number | null)[]) =>
    log ? values.map((value) => (value !== null && value > 0 ? value : null)) : values;
  return [x, above(loss), above(smooth), above(eval_loss)];
}

interface LegendProps {
  curve: LossCurve;
  row: number | null;
  axis: CurveAxis;
  zoomed: boolean;
  onReset(): void;
}

/** What the lines are, with their values under the cursor or, without one, the newest. */
function Legend({ curve, row, axis, zoomed, onReset }: LegendProps) {
  const at = row ?? curve.x.length - 1;
  const x = curve.x[at];
  const value = (values: (number | null)[]) => {
    const found = row === null ? values.findLast((one) => one !== null) : values[at];
    return found === null || found === undefined ? '–' : formatFigure(found);
  };
  return (
    <div className="flex min-h-7 flex-wrap items-center gap-x-5 gap-y-1 text-sm">
      <span className="min-w-26 text-soft">
        {x === undefined ? 'No step yet' : axis === 'step' ? `Step ${formatCount(x)}` : formatDuration(x * 1000)}
      </span>
      <Entry name="Smoothed" colour="bg-accent" value={value(curve.smooth)} />
      <Entry name="Each step" colour="bg-accent/40" value={value(curve.loss)} />
      <Entry name="Evaluation" colour="bg-copper" value={value(curve.eval_loss)} />
      {zoomed && (
        <Button size="sm" className="ml-auto" onClick={onReset}>
          Whole run
        </Button>
      )}
    </div>
  );
}

function Entry({ name, colour, value }: { name: string; colour: string; value: string }) {
  return (
    <span className="flex items-center gap-1.5">
      <span aria-hidden className={`h-0.75 w-3.5 rounded-full ${colour}`} />
      <span className="text-soft">{name}</span>
      <span className="min-w-14 font-medium">{value}</span>
    </span>
  );
}

function inWords({ x, loss, eval_loss }: LossCurve, row: number | null, axis: CurveAxis): string {
  const at = row ?? loss.findLastIndex((value) => value !== null);
  const place = x[at];
  if (place === undefined) return 'No point yet';
  const figures = [
    ['loss', loss[at]],
    ['evaluation loss', eval_loss[at]],
  ].flatMap(([name, value]) => (typeof value === 'number' ? [`${name} ${formatFigure(value)}`] : []));
  return [axis === 'step' ? `Step ${formatCount(place)}` : formatDuration(place * 1000), ...figures].join(', ');
}
