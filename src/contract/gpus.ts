/** The devices of this installation: what runs can be given. */
import { z } from '@hono/zod-openapi';
import { DEVICE_KINDS, DEVICE_STATES } from '#/domain/devices.ts';
import { IdParam, Instant, PageFields, PageQuery } from './common.ts';
import { declareRoute } from './declare-route.ts';

const Device = z
  .object({
    id: z.uuid(),
    worker_id: z.string(),
    host: z.string().nullable().describe('The machine’s name, where its worker told it'),
    worker_silent_s: z.number().describe('Seconds since its worker was last heard'),
    worker_stopped: z.boolean().describe('It ended in order'),
    kind: z.enum(DEVICE_KINDS).describe('cpu: the processor of a machine without a GPU'),
    uuid: z.string().describe('As the driver knows it'),
    index: z.int().nullable().describe('The number that the host’s own tools give it, or its card'),
    name: z.string(),
    memory_mb: z.int(),
    memory_used_mb: z.int().nullable().describe('At the last look; null where the driver does not say'),
    utilization_percent: z.int().nullable().describe('At the last look; null where the driver does not say'),
    mig: z
      .strictObject({ profile: z.string().describe('For example 1g.10gb'), card_uuid: z.string() })
      .nullable()
      .describe('Of a MIG instance, which is a device of its own: what of which card it is'),
    foreign_processes: z.int().describe('Processes that compute on it and are no run of this installation'),
    state: z
      .enum(DEVICE_STATES)
      .describe(
        'quarantined: lost, not seen any more, or with a run that does not die; leased: a run has it; occupied: somebody else computes on it; kept: for a training that waits for several; drained: nothing new comes to it',
      ),
    reason: z.string().nullable().describe('Why nothing new comes to it, where it is not a run'),
    drained_at: Instant.nullable(),
    quarantined_at: Instant.nullable(),
    quarantine_reason: z.string().nullable(),
    last_seen_at: Instant,
  })
  .openapi('Device');
export type Device = z.infer<typeof Device>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const listDevicesRoute = declareRoute({
  method: 'get',
  path: '/api/gpus',
  tags: ['gpus'],
  summary: 'The devices of every worker (administrators), and what they do',
  request: { query: z.strictObject(PageQuery) },
  responses: { 200: answers(z.object({ gpus: z.array(Device), ...PageFields }), 'One page') },
  faults: [403],
});

const drained = z.boolean().describe('true: no run is given it any more; what runs on it goes on');

export const drainWorkerRoute = declareRoute({
  method: 'patch',
  path: '/api/gpus',
  tags: ['gpus'],
  summary: 'Drain all that a worker has, or let work come to it again (administrators): what runs goes on',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z
            .strictObject({ worker_id: z.string().min(1).max(100).describe('As the list of devices has it'), drained })
            .openapi('DrainWorker', { example: { worker_id: 'gpu-box-7c1f', drained: true } }),
        },
      },
    },
  },
  responses: {
    200: answers(
      z.object({ worker_id: z.string().openapi({ example: 'gpu-box-7c1f' }), drained, devices: z.int() }),
      'So many devices',
    ),
  },
  faults: [403, 404],
});

export const changeDeviceRoute = declareRoute({
  method: 'patch',
  path: '/api/gpus/{id}',
  tags: ['gpus'],
  summary: 'Drain a device, or let work come to it again, after a quarantine too (administrators)',
  request: {
    params: IdParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z
            .strictObject({
              drained: drained.optional(),
              quarantined: z
                .literal(false)
                .optional()
                .describe(
                  'It is trusted again, once its host lists it and no run has it; a worker that starts and sees it does the same',
                ),
            })
            .refine((changes) => Object.keys(changes).length > 0, 'must have at least one field to change')
            .openapi('ChangeDevice', { minProperties: 1, example: { drained: true } }),
        },
      },
    },
  },
  responses: { 200: answers(Device, 'As it stands now') },
  faults: [403, 404, 409],
});
