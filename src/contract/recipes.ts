/** Door C's recipes: training styles that are built in, and templates that people save of them. */
import { z } from '@hono/zod-openapi';
import { Description } from '#/domain/dataset-options.ts';
import { Metadata, Tags } from '#/domain/labels.ts';
import { RECIPE_METHODS, RecipeDefaults, RecipeOverrides } from '#/domain/recipes.ts';
import { EVAL_SUITES, EXPORT_FORMATS } from '#/domain/trainer-abilities.ts';
import { TRAINER_STRATEGIES } from '#/domain/trainer-config-parts.ts';
import { ResourceName } from '#/domain/training-spec.ts';
import { IdempotencyKey, Instant, ListQuery, PageFields } from './common.ts';
import { declareRoute } from './declare-route.ts';

const RECIPE_REF = new RegExp(`^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|${RECIPE_METHODS.join('|')})$`);

/** A recipe by its id, or a built-in one by its method. */
export const RecipeRef = z
  .string()
  .regex(RECIPE_REF, `must be a recipe’s UUID, or the name of a built-in one: ${RECIPE_METHODS.join(', ')}`)
  .openapi({ example: 'lora' });
const RecipeParam = z.object({ id: RecipeRef.openapi({ param: { name: 'id', in: 'path' } }) });

export const Recipe = z
  .object({
    id: z.uuid(),
    name: z.string(),
    description: z.string(),
    method: z.enum(RECIPE_METHODS),
    built_in: z.boolean(),
    defaults: RecipeDefaults,
    supports: z.object({
      modalities: z.array(z.string()),
      quantized_bases: z.boolean(),
      strategies: z.array(z.enum(TRAINER_STRATEGIES)),
      eval_suites: z.array(z.enum(EVAL_SUITES)),
      exports: z.array(z.enum(EXPORT_FORMATS)),
    }),
    refuses: z.array(z.string()).describe('What it does not train, in words'),
    available: z.boolean().describe('Whether the trainer of this installation does it'),
    unavailable_reason: z.string().nullable(),
    project_id: z.uuid().nullable(),
    tags: z.array(z.string()),
    metadata: Metadata,
    created_at: Instant.nullable().describe('null: built in'),
    updated_at: Instant.nullable(),
  })
  .openapi('Recipe');
export type Recipe = z.infer<typeof Recipe>;

const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const listRecipesRoute = declareRoute({
  method: 'get',
  path: '/api/recipes',
  tags: ['recipes'],
  summary: 'The built-in training styles, then one’s own templates, newest first',
  request: { query: z.strictObject(ListQuery) },
  responses: { 200: answers(z.object({ recipes: z.array(Recipe), ...PageFields }), 'One page') },
});

export const getRecipeRoute = declareRoute({
  method: 'get',
  path: '/api/recipes/{id}',
  tags: ['recipes'],
  summary: 'One recipe, by id or by the name of its method',
  request: { params: RecipeParam, query: z.strictObject({}) },
  responses: { 200: answers(Recipe, 'The recipe') },
  faults: [404],
});

export const CreateRecipe = z
  .strictObject({
    name: ResourceName,
    description: Description.default(''),
    method: z.enum(RECIPE_METHODS).describe('The built-in style that it changes'),
    defaults: RecipeOverrides.default({}),
    tags: Tags.default([]),
    metadata: Metadata.default({}),
    project_id: z.uuid().nullable().default(null),
  })
  .openapi('CreateRecipe', { example: { name: 'Short answers', method: 'lora', defaults: { rank: 8, warmup_steps: 20 } } });

export const createRecipeRoute = declareRoute({
  method: 'post',
  path: '/api/recipes',
  tags: ['recipes'],
  summary: 'Save a template',
  request: { headers: IdempotencyKey, body: { required: true, content: { 'application/json': { schema: CreateRecipe } } } },
  responses: { 201: answers(Recipe, 'The template') },
  faults: [404, 'limit_reached'],
});

type Nullable<T extends z.ZodRawShape> = { [field in keyof T]: z.ZodOptional<z.ZodNullable<T[field] & z.ZodType>> };
const nullable = <T extends z.ZodRawShape>(shape: T) =>
  Object.fromEntries(
    Object.entries(shape).map(([field, schema]) => [field, (schema as z.ZodType).nullable().optional()]),
  ) as Nullable<T>;

export const RecipeChanges = z
  .strictObject({
    name: ResourceName.optional(),
    description: Description.optional(),
    defaults: z.strictObject(nullable(RecipeDefaults.shape)).optional().describe('Fields to set; null takes one back'),
    tags: Tags.optional(),
    metadata: Metadata.optional().describe('Fields to set; null takes one away, the others stay'),
    project_id: z.uuid().nullable().optional(),
  })
  .openapi('RecipeChanges', { example: { defaults: { rank: null, learning_rate: 0.0002 } } });

export const updateRecipeRoute = declareRoute({
  method: 'patch',
  path: '/api/recipes/{id}',
  tags: ['recipes'],
  summary: 'Change a template of one’s own',
  request: { params: RecipeParam, body: { required: true, content: { 'application/json': { schema: RecipeChanges } } } },
  responses: { 200: answers(Recipe, 'The template as it is now') },
  faults: [403, 404],
});

export const deleteRecipeRoute = declareRoute({
  method: 'delete',
  path: '/api/recipes/{id}',
  tags: ['recipes'],
  summary: 'Remove a template of one’s own',
  request: { params: RecipeParam },
  responses: { 204: { description: 'Removed' } },
  faults: [403, 404],
});
