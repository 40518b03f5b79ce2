import { type Experiment, getExperimentRoute, listExperimentsRoute } from '#/contract/experiments.ts';
import { type ExperimentRow, getExperiment, listExperiments } from '#/services/experiments/list-experiments.ts';
import type { RouteModule } from './api-env.ts';
import { wizardStatus } from './job-door-c.ts';

function present({ experiment, jobs, jobs_by_status }: ExperimentRow): Experiment {
  const [newest] = jobs;
  return {
    id: experiment.id,
    name: experiment.name,
    project_id: experiment.project_id,
    recipe_id: experiment.recipe_id,
    base_model_id: newest?.base_model_id ?? null,
    dataset_id: newest?.dataset_id ?? null,
    status: newest === undefined ? null : wizardStatus(newest.status),
    jobs_by_status,
    jobs: jobs.map(({ id, name, status, progress, artifact_id, created_at }) => ({
      id,
      name,
      status: wizardStatus(status),
      progress,
      artifact_id,
      created_at: created_at.toISOString(),
    })),
    created_at: experiment.created_at.toISOString(),
    updated_at: experiment.updated_at.toISOString(),
  };
}

/** Door C's experiments. */
export const experimentRoutes: RouteModule = (api) => {
  api.openapi(listExperimentsRoute, async (c) => {
    const { q, ...query } = c.req.valid('query');
    const { experiments, ...page } = await listExperiments(c.var.ctx, { ...query, search: query.search ?? q });
    const { limit, offset } = query;
    return c.json({ experiments: experiments.map(present), ...page, limit, offset }, 200);
  });
  api.openapi(getExperimentRoute, async (c) => {
    const experiment = await getExperiment(c.var.ctx, c.req.valid('param').id);
    return c.json(present(experiment), 200);
  });
};
