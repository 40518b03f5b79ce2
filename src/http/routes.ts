import type { RouteModule } from './api-env.ts';

/** Every resource's routes, one line each. */
export const ROUTES: RouteModule[] = [];
