/** What administrators decide for everybody. */
import { z } from '@hono/zod-openapi';
import { InstallationSettings, SettingChanges } from '#/domain/settings.ts';
import { declareRoute } from './declare-route.ts';

const example = {
  active_jobs_per_user: 2,
  user_quota_gb: 50,
  default_base_model_id: null,
  draining: false,
  quiet_hours: null,
  default_limits: { memory_gb: 24, runtime_hours: 12 },
  limits_max: { memory_gb: 48 },
};
const { shape } = InstallationSettings;
const Settings = InstallationSettings.extend({
  active_jobs_per_user: shape.active_jobs_per_user.describe(
    'Jobs of one person that may be active at once, unless the person has a limit of their own',
  ),
  user_quota_gb: shape.user_quota_gb.describe('What one person’s datasets, adapters and fetched models may take'),
  default_base_model_id: shape.default_base_model_id.describe('For submissions that name no base model'),
  draining: shape.draining.describe('No training is started, until this is false again; what runs goes on'),
  quiet_hours: shape.quiet_hours.describe('Hours of a day in which no training is started; what runs goes on'),
  default_limits: shape.default_limits.describe('What a training is held to that does not say; {}: to no limit but the maximum'),
  limits_max: shape.limits_max.describe(
    'The most that a training may ask for, and what holds for one without a default; {}: no such maximum',
  ),
}).openapi('Settings', { example });

const answers = { description: 'As they stand', content: { 'application/json': { schema: Settings } } };

export const readSettingsRoute = declareRoute({
  method: 'get',
  path: '/api/settings',
  tags: ['settings'],
  summary: 'What this installation decides for everybody (administrators)',
  request: { query: z.strictObject({}) },
  responses: { 200: answers },
  faults: [403],
});

export const changeSettingsRoute = declareRoute({
  method: 'patch',
  path: '/api/settings',
  tags: ['settings'],
  summary: 'Decide otherwise (administrators), from now on: what runs goes on. A quota of null is the environment’s again',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: SettingChanges.openapi('ChangeSettings', { minProperties: 1, example: { active_jobs_per_user: 3 } }),
        },
      },
    },
  },
  responses: { 200: answers },
  faults: [403, 404, 409, 'base_model_not_ready', 422],
});
