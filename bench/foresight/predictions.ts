/** What the planner says of a measured row, in the row's own terms. */
import { GB } from '#/domain/bytes.ts';
import { estimateAnybodys } from '#/domain/foresight/requests/estimate-anybodys.ts';
import { type PlannedRequest, planRequest, RequestFault, readRequest } from '#/domain/foresight/requests/estimate-request.ts';
import { estimateTime } from '#/domain/foresight/time/estimate-time.ts';
import { fullRows } from '#/domain/foresight/time/token-load.ts';
import type { TextRow } from './measured-row.ts';

export interface Prediction {
  /** GB of 1e9 bytes, by the counter that is asked. */
  allocated: number;
  reserved: number;
  device: number;
  /** 5th and 95th percentile of `device`; null: none is given. */
  low: number | null;
  high: number | null;
  /** Of an optimizer step; null: nothing is said of time. */
  seconds: number | null;
  low_seconds: number | null;
  high_seconds: number | null;
  parts: string;
}

/** null: the predictor says nothing of such a row. */
export type Predictor = (row: TextRow) => Prediction | null;

/** The row as `lowrank estimate` reads it; null: the planner refuses it. */
export function plannedOf(row: TextRow): PlannedRequest | null {
  try {
    return planRequest(readRequest({ id: row.id, ...row.request }));
  } catch (error) {
    if (error instanceof RequestFault) return null;
    throw error;
  }
}

/** The planner as everybody meets it: a run is taken to be our trainer's wherever a request cannot say otherwise. */
export const asAsked: Predictor = (row) => foretold(row, false);

/** The planner told the habits of the library that ran, where the source shows them. */
export const withHabits: Predictor = (row) => foretold(row, true);

function foretold(row: TextRow, with_habits: boolean): Prediction | null {
  const planned = plannedOf(row);
  if (planned === null) return null;
  const { model, device } = planned;
  const run = with_habits ? { ...planned.run, switches: { ...planned.run.switches, ...row.stack } } : planned.run;
  const memory = estimateAnybodys({ ...planned, run, may_upcast: planned.may_upcast && !with_habits });
  const time = estimateTime(model, run, device, fullRows(run));
  const parts = Object.entries(memory.components)
    .filter(([, bytes]) => bytes >= 0.005 * GB)
    .map(([name, bytes]) => `${name} ${(bytes / GB).toFixed(2)}`);
  return {
    allocated: (memory.allocator_bytes - memory.components.slack) / GB,
    reserved: memory.allocator_bytes / GB,
    device: memory.device_bytes / GB,
    low: memory.low_bytes / GB,
    high: memory.high_bytes / GB,
    seconds: time.seconds_per_step,
    low_seconds: time.low_seconds,
    high_seconds: time.high_seconds,
    parts: `${memory.fullest}: ${parts.join(', ')}`,
  };
}
