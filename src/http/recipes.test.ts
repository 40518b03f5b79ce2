import { beforeAll, expect, test } from 'vitest';
import type { Recipe } from '#/contract/recipes.ts';
import { BUILT_IN_RECIPES } from '#/domain/recipes.ts';
import { addCaller, json, useApi } from '../../test/api.ts';
import { useDatabase } from '../../test/database.ts';

const db = useDatabase();
const api = useApi();
const STYLES = BUILT_IN_RECIPES.map((recipe) => recipe.id);
let owner: Awaited<ReturnType<typeof addCaller>>;
let stranger: Awaited<ReturnType<typeof addCaller>>;
beforeAll(async () => {
  owner = await addCaller(db);
  stranger = await addCaller(db);
});

interface Page {
  recipes: Recipe[];
  total: number;
  next_cursor: string | null;
}
const read = async <T = Page>(path: string, headers: Record<string, string> = owner.headers) =>
  (await (await api.request(path, { headers })).json()) as T;
const save = (body: Record<string, unknown>, headers: Record<string, string> = owner.headers) =>
  api.post('/api/recipes', { name: 'Mine', method: 'lora', ...body }, headers);
const change = (id: string, body: unknown, headers: Record<string, string> = owner.headers) =>
  api.request(`/api/recipes/${id}`, json(body, headers, 'PATCH'));
const remove = (id: string, headers: Record<string, string> = owner.headers) =>
  api.request(`/api/recipes/${id}`, { method: 'DELETE', headers });
const pathsOf = async (answer: Response) =>
  ((await answer.json()) as { details: { path: string }[] }).details.map((row) => row.path).sort();

test('the built-in styles are everybody’s, found by id and by method, and nobody’s to change', async () => {
  const page = await read('/api/recipes', stranger.headers);
  expect(page.recipes.map((recipe) => recipe.id)).toEqual(STYLES);
  expect(page.recipes.map((recipe) => [recipe.method, recipe.available])).toEqual([
    ['lora', true],
    ['qlora', false],
    ['dora', true],
    ['dreambooth', true],
    ['full', false],
  ]);
  for (const recipe of page.recipes) {
    expect(recipe).toMatchObject({ built_in: true, created_at: null });
    expect(recipe.available).toBe(recipe.unavailable_reason === null);
    expect(await read(`/api/recipes/${recipe.id}`)).toEqual(recipe);
    expect(await read(`/api/recipes/${recipe.method}`)).toEqual(recipe);
    expect([(await change(recipe.id, { name: 'x' })).status, (await remove(recipe.method)).status]).toEqual([403, 403]);
  }
  expect((await read('/api/recipes?q=qlora')).recipes.map((recipe) => recipe.method)).toEqual(['qlora']);
});

test('a template is saved, told once by its key, changed field by field, and removed', async () => {
  const body = { defaults: { rank: 8, warmup_steps: 0 }, tags: ['short'], metadata: { from: 'wizard' } };
  const headers = { ...owner.headers, 'idempotency-key': 'template' };
  const answer = await save(body, headers);
  expect(answer.status).toBe(201);
  const template = (await answer.json()) as Recipe;
  expect(await (await save(body, headers)).json()).toEqual(template);
  expect(template).toMatchObject({ built_in: false, method: 'lora', tags: ['short'], metadata: { from: 'wizard' } });
  expect(template.defaults).toEqual({ ...BUILT_IN_RECIPES[0]?.defaults, rank: 8, warmup_steps: 0 });
  const changed = await change(template.id, { name: 'Renamed', defaults: { rank: null, alpha: 64 }, metadata: { from: null } });
  expect(await changed.json()).toMatchObject({
    name: 'Renamed',
    defaults: { ...BUILT_IN_RECIPES[0]?.defaults, warmup_steps: 0, alpha: 64 },
    metadata: {},
    tags: ['short'],
  });
  expect((await remove(template.id)).status).toBe(204);
  expect((await api.request(`/api/recipes/${template.id}`, { headers: owner.headers })).status).toBe(404);
});

test('somebody else’s template is not found, and the answer is that for none', async () => {
  const { id } = (await (await save({ name: 'Private' })).json()) as Recipe;
  const none = '00000000-0000-4000-8000-000000000000';
  const answers = [];
  for (const which of [id, none]) {
    for (const answer of [
      await api.request(`/api/recipes/${which}`, { headers: stranger.headers }),
      await change(which, { name: 'theirs' }, stranger.headers),
      await remove(which, stranger.headers),
    ]) {
      const { request_id, ...body } = (await answer.json()) as Record<string, unknown>;
      answers.push([answer.status, body]);
    }
  }
  expect(answers.slice(0, 3)).toEqual(answers.slice(3));
  expect(answers.every(([status]) => status === 404)).toBe(true);
  expect((await read('/api/recipes?q=Private', stranger.headers)).total).toBe(0);
  expect((await read('/api/recipes?q=Private')).total).toBe(1);
});

test('pages run over styles and templates alike, by offset and by cursor', async () => {
  const person = await addCaller(db);
  const made: string[] = [];
  for (const name of ['one', 'two', 'three']) made.unshift(((await (await save({ name }, person.headers)).json()) as Recipe).id);
  const all = [...STYLES, ...made];
  for (const next of [
    (page: Page, at: number) => `offset=${at + page.recipes.length}`,
    (page: Page) => `after=${page.next_cursor}`,
  ]) {
    const seen: string[] = [];
    let query = 'offset=0';
    for (;;) {
      const page = await read(`/api/recipes?limit=3&${query}`, person.headers);
      expect(page.total).toBe(8);
      const at = seen.length;
      seen.push(...page.recipes.map((recipe) => recipe.id));
      if (page.next_cursor === null) break;
      query = next(page, at);
    }
    expect(seen).toEqual(all);
  }
});

test('templates are of a project of one’s own', async () => {
  const project = (await (await api.post('/api/projects', { name: 'P' }, owner.headers)).json()) as { id: string };
  const { id } = (await (await save({ project_id: project.id })).json()) as Recipe;
  expect((await read(`/api/recipes?project=${project.id}`)).recipes.map((recipe) => recipe.id)).toEqual([...STYLES, id]);
  expect((await save({ project_id: project.id }, stranger.headers)).status).toBe(404);
  expect((await change(id, { project_id: null })).status).toBe(200);
  expect((await read(`/api/recipes?project=${project.id}`)).total).toBe(STYLES.length);
});

test('what no training takes is refused by name', async () => {
  const answer = await save({
    method: 'lora2',
    defaults: { rank: 129, rnak: 8, export: ['exe'], strategy: 'zero' },
    built_in: true,
  });
  expect([answer.status, await pathsOf(answer)]).toEqual([
    400,
    ['built_in', 'defaults.export.0', 'defaults.rank', 'defaults.rnak', 'defaults.strategy', 'method'],
  ]);
  const { id } = (await (await save({})).json()) as Recipe;
  expect(await pathsOf(await change(id, { method: 'dora', defaults: { rank: 3 } }))).toEqual(['defaults.rank', 'method']);
  const unknown = await api.request('/api/recipes/lora2', { headers: owner.headers });
  expect([unknown.status, await pathsOf(unknown)]).toEqual([400, ['id']]);
});
