/** Images that trainings may name instead of the trainer that comes along: what one is called, and why one is no good. */
import * as z from 'zod';
import { toldRule } from './told-rule.ts';
import { ResourceName } from './training-spec.ts';

/** In one installation: the whole list is one answer. */
export const TRAINING_IMAGES_MAX = 100;

/** As engines write it (distribution/reference): registry, path, and a tag or a digest. */
const REFERENCE =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
const REFERENCE_RULE = 'must be the name of an image, such as registry.example.org/team/trainer:3';

export const ImageReference = z.string(toldRule(REFERENCE_RULE)).max(255).regex(REFERENCE, REFERENCE_RULE);

export const AskedTrainingImage = z.strictObject({ name: ResourceName, reference: ImageReference });
export type AskedTrainingImage = z.infer<typeof AskedTrainingImage>;

/** Why an image cannot be used, or not yet. */
export const IMAGE_REASONS = ['engine_away', 'image_not_found', 'silent', 'not_the_protocol', 'internal'] as const;
export type ImageReason = { code: (typeof IMAGE_REASONS)[number]; message: string };

/** Said of an image at which no worker has looked. */
export const UNCHECKED =
  'a worker has yet to ask it what it can do: one that runs trainings in containers, which is one with LOWRANK_EXECUTOR=docker';
