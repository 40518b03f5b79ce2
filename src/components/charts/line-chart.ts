/** uPlot as the studio draws it: loaded when a chart is first shown, coloured by the theme, moved by mouse, touch and keys. */
import type uPlot from 'uplot';
import { formatMarks } from './format-marks.ts';
import { logSplits } from './log-splits.ts';
import { onThemeChange, type ThemeColours, themeColours } from './theme-colours.ts';

export interface Line {
  label: string;
  colour: keyof ThemeColours;
  /** CSS pixels. */
  width: number;
  /** 0 to 1. */
  strength?: number;
  /** A dot at each value. */
  dots?: boolean;
}

export interface LineChartOptions {
  lines: Line[];
  log: boolean;
  /** The marks of the horizontal axis. */
  formatX(value: number): string;
  /** Marks stand at whole numbers only. */
  whole_x: boolean;
  /** The row under the cursor, or null when it left. */
  onRow(row: number | null): void;
  onZoom(zoomed: boolean): void;
}

export interface LineChart {
  setData(data: uPlot.AlignedData): void;
  /** Moves the cursor by rows, from the newest when it is nowhere. */
  moveCursor(rows: number): void;
  resetZoom(): void;
  destroy(): void;
}

/** 1, 2, 5, 10, 20, 50 … up to more steps than a run has. */
const WHOLE = Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/** Draws into `host`, which gives the size. */
export async function makeLineChart(
  host: HTMLElement,
  options: LineChartOptions,
  signal: AbortSignal,
): Promise<LineChart | null> {
  const { default: UPlot } = await import('uplot');
  if (signal.aborted) return null;
  let colours = themeColours();
  let zoomed = false;
  const font = `11px ${getComputedStyle(host).fontFamily}`;
  const axis = (size: number, format: (splits: number[]) => string[]): uPlot.Axis => ({
    size,
    font,
    gap: 6,
    stroke: () => colours.soft,
    grid: { stroke: () => colours.line, width: 1 },
    ticks: { show: false },
    values: (_, splits) => format(splits),
  });
  const zoom = (to: boolean) => {
    zoomed = to;
    options.onZoom(to);
  };
  const whole = (chart: uPlot) => {
    zoom(false);
    chart.setData(chart.data);
  };
  const chart = new UPlot(
    {
      width: host.clientWidth,
      height: host.clientHeight,
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 7, width: 2, fill: () => colours.panel },
        drag: { x: true, y: false, setScale: false },
        bind: {
          dblclick: (self) => () => {
            whole(self);
            return null;
          },
        },
      },
      scales: {
        x: { time: false },
        y: options.log
          ? { distr: 3, range: (_, min, max) => (min > 0 && max > 0 ? [min / 1.08, max * 1.08] : [0.1, 10]) }
          : { range: (_, min, max) => within(min, max) },
      },
      axes: [
        { ...axis(30, (splits) => splits.map(options.formatX)), space: 70, ...(options.whole_x ? { incrs: WHOLE } : {}) },
        {
          ...axis(48, formatMarks),
          space: 34,
          ...(options.log ? { splits: (_, __, min, max) => logSplits(min, max), filter: (_, splits) => splits } : {}),
        },
      ],
      series: [{}, ...options.lines.map((line) => series(line, () => colours))],
      hooks: {
        setCursor: [(self) => options.onRow(self.cursor.idx ?? null)],
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            if (width < 6) return;
            self.setScale('x', { min: self.posToVal(left, 'x'), max: self.posToVal(left + width, 'x') });
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            zoom(true);
          },
        ],
      },
    },
    options.lines.map(() => []).concat([[]]) as unknown as uPlot.AlignedData,
    host,
  );

  const touch = (event: TouchEvent) => {
    const finger = event.touches[0];
    if (finger === undefined) return;
    const box = chart.over.getBoundingClientRect();
    chart.setCursor({ left: finger.clientX - box.left, top: finger.clientY - box.top });
  };
  chart.over.style.touchAction = 'pan-y';
  chart.over.addEventListener('touchstart', touch, { passive: true });
  chart.over.addEventListener('touchmove', touch, { passive: true });

  const resized = new ResizeObserver(() => chart.setSize({ width: host.clientWidth, height: host.clientHeight }));
  resized.observe(host);
  const unthemed = onThemeChange(() => {
    colours = themeColours();
    chart.redraw(false, true);
  });

  return {
    setData: (data) => chart.setData(data, !zoomed),
    moveCursor: (rows) => {
      const length = chart.data[0].length;
      if (length === 0) return;
      const from = chart.cursor.idx ?? length - 1 - rows;
      const to = Math.min(length - 1, Math.max(0, from + rows));
      chart.setCursor({ left: chart.valToPos(chart.data[0][to] ?? 0, 'x'), top: 0 });
    },
    resetZoom: () => whole(chart),
    destroy: () => {
      resized.disconnect();
      unthemed();
      chart.destroy();
    },
  };
}

/** A little air around the values, and never a range of nothing. */
function within(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const air = max - min > 0 ? (max - min) * 0.06 : Math.abs(max) * 0.1 || 0.5;
  return [Math.max(min - air, min >= 0 ? 0 : Number.NEGATIVE_INFINITY), max + air];
}

function series({ label, colour, width, strength = 1, dots = false }: Line, colours: () => ThemeColours): uPlot.Series {
  const stroke = () =>
    strength === 1 ? colours()[colour] : `color-mix(in oklab, ${colours()[colour]} ${strength * 100}%, ${colours().panel})`;
  return {
    label,
    width,
    stroke,
    spanGaps: true,
    points: dots ? { show: true, size: 5, width: 1.5, stroke, fill: () => colours().panel } : { show: false },
  };
}
