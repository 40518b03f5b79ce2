import {
  deleteDatasetRoute,
  getDatasetRoute,
  listDatasetsRoute,
  restoreDatasetRoute,
  updateDatasetRoute,
  uploadDatasetRoute,
} from '#/contract/datasets.ts';
import { deleteDataset } from '#/services/datasets/delete-dataset.ts';
import { getDataset } from '#/services/datasets/get-dataset.ts';
import { listDatasets } from '#/services/datasets/list-datasets.ts';
import { restoreDataset } from '#/services/datasets/restore-dataset.ts';
import { updateDataset } from '#/services/datasets/update-dataset.ts';
import { uploadDataset } from '#/services/datasets/upload-dataset.ts';
import type { RouteModule } from './api-env.ts';
import { presentDataset, presentListedDataset } from './dataset-presenter.ts';
import { createOnce } from './idempotency.ts';
import { UPLOADS } from './places.ts';
import { receiveUpload } from './received-upload.ts';

/** Door C's datasets. */
export const datasetRoutes: RouteModule = (api) => {
  api.openapi(uploadDatasetRoute, async (c) => {
    const leave = UPLOADS.hold(c.var.ctx.user_id);
    try {
      const upload = await receiveUpload(c.req.raw, c.req.query());
      let sha256: string | null = null;
      const onReceived = (sum: string) => {
        sha256 = sum;
      };
      return await createOnce(c, {
        route: 'POST /api/datasets/upload',
        // Fields may stand behind the file, and of one that did not arrive there is nothing to wait for.
        request: async () => (sha256 === null ? null : { ...(await upload.lastOptions()), sha256 }),
        make: (hooks) => uploadDataset(c.var.ctx, { ...upload, onReceived }, hooks),
        present: ({ dataset, duplicate_of }) => ({ ...presentDataset(dataset), duplicate_of }),
      });
    } finally {
      leave();
    }
  });
  api.openapi(listDatasetsRoute, async (c) => {
    const { q, ...query } = c.req.valid('query');
    const { datasets, model, ...page } = await listDatasets(c.var.ctx, { ...query, search: query.search ?? q });
    const { limit, offset } = query;
    return c.json({ datasets: datasets.map((row) => presentListedDataset(row, model)), ...page, limit, offset }, 200);
  });
  api.openapi(getDatasetRoute, async (c) => c.json(presentDataset(await getDataset(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(updateDatasetRoute, async (c) => {
    const dataset = await updateDataset(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
    return c.json(presentDataset(dataset), 200);
  });
  api.openapi(deleteDatasetRoute, async (c) => {
    await deleteDataset(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
  api.openapi(restoreDatasetRoute, async (c) => {
    const dataset = await restoreDataset(c.var.ctx, c.req.valid('param').id);
    return c.json(presentDataset(dataset), 200);
  });
};
