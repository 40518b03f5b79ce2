/** What may stand in the place of an owner, a resource and a file that is received: ids make the paths, names never do. */
import { AppError } from '#/domain/app-error.ts';

export const OWNER = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|shared)$/;
export const RESOURCE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const FILE_NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** Throws `not_found` for what can be no resource's place. */
export function refuseOddPlace(owner: string, resource_id: string): void {
  if (!OWNER.test(owner) || !RESOURCE.test(resource_id)) throw new AppError('not_found', 'No such file');
}

/** Throws for what is no name of a received file; callers of ours give it, so that it is no refusal. */
export function refuseOddName(name: string): void {
  if (!FILE_NAME.test(name)) throw new Error(`${name} is no name for a stored file`);
}
