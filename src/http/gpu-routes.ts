import { changeDeviceRoute, type Device, drainWorkerRoute, listDevicesRoute } from '#/contract/gpus.ts';
import { deviceReason } from '#/domain/devices.ts';
import { changeDevice, drainWorker } from '#/services/machine/change-device.ts';
import { type DeviceRow, listDevices } from '#/services/machine/list-devices.ts';
import type { RouteModule } from './api-env.ts';

const present = ({ mig_profile: profile, mig_card_uuid: card_uuid, ...device }: DeviceRow): Device => ({
  ...device,
  mig: profile === null || card_uuid === null ? null : { profile, card_uuid },
  reason: deviceReason(device),
  drained_at: device.drained_at?.toISOString() ?? null,
  quarantined_at: device.quarantined_at?.toISOString() ?? null,
  last_seen_at: device.last_seen_at.toISOString(),
});

/** The devices of this installation: for its administrators. */
export const gpuRoutes: RouteModule = (api) => {
  api.openapi(listDevicesRoute, async (c) => {
    const { after, ...place } = c.req.valid('query');
    const { devices, ...page } = await listDevices(c.var.ctx, { ...place, after });
    return c.json({ gpus: devices.map(present), ...page, ...place }, 200);
  });
  api.openapi(drainWorkerRoute, async (c) => {
    const { worker_id, drained } = c.req.valid('json');
    return c.json({ worker_id, drained, devices: await drainWorker(c.var.ctx, worker_id, drained) }, 200);
  });
  api.openapi(changeDeviceRoute, async (c) =>
    c.json(present(await changeDevice(c.var.ctx, c.req.valid('param').id, c.req.valid('json'))), 200),
  );
};
