import { PreflightFailed } from '#/domain/app-error.ts';
import { specOfWizard, type WizardSubmission } from '#/domain/wizard-training.ts';
import type { Context } from '#/services/context.ts';
import { judgeTraining } from '#/services/experiments/judge-training.ts';
import type { CreationHooks } from '#/services/idempotency/idempotent-creation.ts';
import { createJob } from './create-job.ts';
import type { JobRow } from './job-row.ts';

/** Door C's submission: judged first, then a job like any other. Throws `preflight_failed` and what `createJob` throws. */
export function submitWizardTraining(ctx: Context, asked: WizardSubmission, hooks: CreationHooks = {}): Promise<JobRow> {
  return createJob(
    ctx,
    async (tx) => {
      const { judgement, recipe } = await judgeTraining(tx, ctx, asked);
      if (!judgement.ok || recipe === null) throw new PreflightFailed(judgement);
      return specOfWizard(asked, recipe);
    },
    hooks,
  );
}
