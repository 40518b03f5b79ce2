import { jobCheckpointsRoute, jobSamplesRoute, sampleImageRoute, type TrainingSample } from '#/contract/job-outputs.ts';
import { SAMPLE_IMAGE_REFUSALS } from '#/domain/sample-images.ts';
import { openSampleImage } from '#/services/jobs/open-sample-image.ts';
import { readCheckpoints, readSamples } from '#/services/jobs/read-outputs.ts';
import type { RouteModule } from './api-env.ts';
import { inDoorsEnvelope } from './job-door-c.ts';
import { PICTURES } from './places.ts';
import { sendFile } from './send-file.ts';

const told = <T extends { created_at: Date }>(row: T) => ({ ...row, created_at: row.created_at.toISOString() });

/** What a training makes on its way. */
export const jobOutputRoutes: RouteModule = (api) => {
  api.openapi(jobCheckpointsRoute, async (c) => {
    const { rows, next_after } = await readCheckpoints(c.var.ctx, c.req.valid('param').id, c.req.valid('query'));
    return c.json(inDoorsEnvelope(c, { checkpoints: rows.map(told), next_after }), 200);
  });
  api.openapi(jobSamplesRoute, async (c) => {
    const { id } = c.req.valid('param');
    const { rows, next_after } = await readSamples(c.var.ctx, id, c.req.valid('query'));
    return c.json(inDoorsEnvelope(c, { samples: rows.map((row) => presentSample(id, row)), next_after }), 200);
  });
  api.openapi(sampleImageRoute, async (c) => {
    const { id, n } = c.req.valid('param');
    const image = await openSampleImage(c.var.ctx, id, n);
    const headers = {
      'Content-Type': 'image/png',
      'Content-Disposition': `inline; filename="${image.file_name}"`,
      // Kept by its reader's browser alone, and asked about each time: another person may sit there next.
      'Cache-Control': 'private, no-cache',
    };
    return sendFile(c, image, { user_id: c.var.ctx.user_id, places: PICTURES, headers });
  });
};

type SampleRow = Awaited<ReturnType<typeof readSamples>>['rows'][number];

function presentSample(job_id: string, { text, image, state, ...row }: SampleRow): TrainingSample {
  const code = state?.error_code ?? null;
  return {
    ...told(row),
    kind: image === undefined ? 'text' : 'image',
    text: text ?? null,
    seed: image?.seed ?? null,
    width: image?.width ?? null,
    height: image?.height ?? null,
    bytes: image?.bytes ?? null,
    image_url: state?.status === 'kept' ? `/api/jobs/${job_id}/samples/${row.id}/image` : null,
    not_kept: code === null ? null : { code, message: SAMPLE_IMAGE_REFUSALS[code] },
  };
}
