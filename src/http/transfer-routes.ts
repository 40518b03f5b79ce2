import { cancelTransferRoute, createTransferRoute, getTransferRoute, listTransfersRoute } from '#/contract/transfers.ts';
import { cancelTransfer } from '#/services/transfers/cancel-transfer.ts';
import { createTransfer } from '#/services/transfers/create-transfer.ts';
import { getTransfer, listTransfers } from '#/services/transfers/list-transfers.ts';
import type { RouteModule } from './api-env.ts';
import { createOrFindOnce } from './idempotency.ts';
import { presentTransfer } from './transfer-presenter.ts';

/** What comes from the Hub, for every door. */
export const transferRoutes: RouteModule = (api) => {
  api.openapi(listTransfersRoute, async (c) => {
    const query = c.req.valid('query');
    const { transfers, ...page } = await listTransfers(c.var.ctx, query);
    return c.json({ transfers: transfers.map(presentTransfer), ...page, limit: query.limit, offset: query.offset }, 200);
  });
  api.openapi(getTransferRoute, async (c) => c.json(presentTransfer(await getTransfer(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(createTransferRoute, async (c) => {
    const wish = c.req.valid('json');
    return createOrFindOnce(c, {
      route: 'POST /api/transfers',
      request: () => wish,
      make: (hooks) => createTransfer(c.var.ctx, wish, hooks),
      created: ({ created }) => created,
      present: ({ transfer }) => presentTransfer(transfer),
    });
  });
  api.openapi(cancelTransferRoute, async (c) =>
    c.json(presentTransfer(await cancelTransfer(c.var.ctx, c.req.valid('param').id)), 200),
  );
};
