import { type AccuracyGroup, type AccuracyPoint, listAccuracyRoute } from '#/contract/accuracy.ts';
import {
  type Comparison,
  compareCost,
  compareHours,
  compareMemory,
  compareTime,
  isCovered,
} from '#/domain/foresight/learning/accuracy.ts';
import { listAccuracy, type ObservedRun, type RunGroupRow } from '#/services/accuracy/list-accuracy.ts';
import type { RouteModule } from './api-env.ts';

/** Foretold and measured. */
export const accuracyRoutes: RouteModule = (api) => {
  api.openapi(listAccuracyRoute, async (c) => {
    const query = c.req.valid('query');
    const { points, groups, ...page } = await listAccuracy(c.var.ctx, query);
    const told = { points: points.map(presentPoint), groups: groups.map(presentGroup) };
    return c.json({ ...told, ...page, limit: query.limit, offset: query.offset }, 200);
  });
};

function presentPoint({ forecast, measured, ...run }: ObservedRun): AccuracyPoint {
  return {
    id: run.id,
    job: run.job,
    outcome: run.outcome,
    gpu: run.gpu,
    stack_version: run.stack_version,
    method: run.method,
    // Without a residual the run was on another device than was asked about.
    memory: run.memory_residual === null ? null : presentCompared(compareMemory(forecast, measured)),
    memory_at_least: measured.at_least_bytes,
    seconds_per_step: run.time_residual === null ? null : presentCompared(compareTime(forecast, measured)),
    hours: presentCompared(compareHours(forecast, measured)),
    cost: presentCompared(compareCost(forecast, measured)),
    created_at: run.created_at.toISOString(),
  };
}

function presentGroup({ memory, time, ...kind }: RunGroupRow): AccuracyGroup {
  const figures = ({ residuals: _, ...told }: RunGroupRow['memory']) => told;
  return { ...kind, memory: figures(memory), time: figures(time) };
}

function presentCompared(compared: Comparison | null): AccuracyPoint['memory'] {
  if (compared === null) return null;
  const { figure, low, high } = compared.foretold;
  return { figure, low, high, measured: compared.measured, covered: isCovered(compared) };
}
