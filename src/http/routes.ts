import type { RouteModule } from './api-env.ts';
import { jobRoutes } from './job-routes.ts';
import { peopleRoutes } from './people-routes.ts';
import { systemRoutes } from './system-routes.ts';

/** Every resource's routes, one line each. */
export const ROUTES: RouteModule[] = [systemRoutes, peopleRoutes, jobRoutes];
