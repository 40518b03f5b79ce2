import { type Device, drainDeviceRoute, listDevicesRoute } from '#/contract/gpus.ts';
import { deviceReason } from '#/domain/devices.ts';
import { type DeviceRow, drainDevice, listDevices } from '#/services/machine/list-devices.ts';
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
  api.openapi(drainDeviceRoute, async (c) =>
    c.json(present(await drainDevice(c.var.ctx, c.req.valid('param').id, c.req.valid('json').drained)), 200),
  );
};
