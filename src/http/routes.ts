import { accuracyRoutes } from './accuracy-routes.ts';
import { activityRoutes } from './activity-routes.ts';
import type { RouteModule } from './api-env.ts';
import { artifactRoutes } from './artifact-routes.ts';
import { costRoutes } from './cost-routes.ts';
import { datasetImageRoutes } from './dataset-image-routes.ts';
import { datasetRoutes } from './dataset-routes.ts';
import { experimentRoutes } from './experiment-routes.ts';
import { gpuCatalogRoutes } from './gpu-catalog-routes.ts';
import { gpuRoutes } from './gpu-routes.ts';
import { jobOutputRoutes } from './job-output-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { jobVerbRoutes } from './job-verb-routes.ts';
import { memberRoutes } from './member-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { notificationRoutes } from './notification-routes.ts';
import { peopleRoutes } from './people-routes.ts';
import { projectRoutes } from './project-routes.ts';
import { queueRoutes } from './queue-routes.ts';
import { recipeRoutes } from './recipe-routes.ts';
import { settingsRoutes } from './settings-routes.ts';
import { systemRoutes } from './system-routes.ts';
import { trainingImageRoutes } from './training-image-routes.ts';
import { trainingRoutes } from './training-routes.ts';
import { transferRoutes } from './transfer-routes.ts';
import { webhookRoutes } from './webhook-routes.ts';
import { wizardRoutes } from './wizard-routes.ts';

/** Every resource's routes, one line each. */
export const ROUTES: RouteModule[] = [
  systemRoutes,
  peopleRoutes,
  memberRoutes,
  jobRoutes,
  jobVerbRoutes,
  jobOutputRoutes,
  trainingRoutes,
  trainingImageRoutes,
  datasetRoutes,
  datasetImageRoutes,
  modelRoutes,
  artifactRoutes,
  projectRoutes,
  notificationRoutes,
  activityRoutes,
  recipeRoutes,
  experimentRoutes,
  transferRoutes,
  gpuCatalogRoutes,
  costRoutes,
  accuracyRoutes,
  webhookRoutes,
  queueRoutes,
  settingsRoutes,
  gpuRoutes,
  wizardRoutes,
];
