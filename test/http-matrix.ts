/**
 * Asks every place that takes an id for another's thing, over the app itself. What it answers is what was found: nothing, when all
 * is well. A refusal alone proves nothing, so each comes with its twin: the same request by whoever has the thing.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '#/http/api-env.ts';
import { noWaiting } from './api.ts';
import type { TestDatabase } from './database.ts';
import { type IdInput, idInputsOf, nameOf, type Operation, type Request, requestOf } from './http-inputs.ts';
import { costCursor, type Kind, type Tenant } from './http-scene.ts';

/** Of everybody: to be read and used by all, changed by whoever brought it and administrators. */
const SHARED = new Set<Kind>(['model']);
/** The installation’s: other people are refused, whichever is named, and any administrator keeps them all. */
export const OF_ADMINISTRATORS = new Set<Kind>([
  ...(['member', 'invitation', 'gpu', 'device', 'worker', 'training_image', 'default_model'] as const),
]);
/** The one place that tells a stranger's from none (contracts.md, door A). */
const TELLS_WHOSE = 'POST /api/training/submit body dataset_id';

export const whereOf = ({ operation, place, field }: IdInput) => `${operation.method} ${operation.template} ${place} ${field}`;

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Answers' headers that are of the moment. */
const OF_THE_MOMENT = /^(date|x-request-id|ratelimit-.*|set-cookie)$/;

/** Sends a request as somebody and reads its answer whole; of a live stream only the head. */
export async function send(api: Pick<Api, 'request'>, who: Record<string, string>, { path, init }: Request): Promise<Answer> {
  const answer = await api.request(path, { ...init, headers: { ...(init.headers as Record<string, string>), ...who } });
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !OF_THE_MOMENT.test(name)));
  if (answer.headers.get('content-type') === 'text/event-stream') {
    await answer.body?.cancel();
    return { status: answer.status, headers, body: '' };
  }
  return { status: answer.status, headers, body: await answer.text() };
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** An answer without what differs from one request to the next: the id that was asked for, and what is made anew. */
export function masked({ status, headers, body }: Answer, id: string): string {
  const plain = `${status} ${JSON.stringify(headers)} ${body}`;
  return (id === '' ? plain : plain.replaceAll(id, '<asked>'))
    .replaceAll(/req_[0-9a-f-]{36}/g, '<request>')
    .replaceAll(UUID, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '<time>')
    .replaceAll(/"content-length":"\d+"/g, '');
}

const succeeded = ({ status }: Answer) => status >= 200 && status < 400;

/** A word a table for all rows of the database, and for those of one person: each changes with any write, even of what stood there. */
export async function digest(db: TestDatabase, user_id: string): Promise<{ all: string; theirs: string }> {
  const parts = await rowVersions(db);
  const [sum] = await db.asOwner<{ every: string; mine: string }>(
    `SELECT string_agg(name || '=' || every, ' ' ORDER BY name) AS every, string_agg(name || '=' || mine, ' ' ORDER BY name) AS mine
     FROM (${parts.replaceAll('$user', user_id)}) s`,
  );
  return { all: sum?.every ?? '', theirs: sum?.mine ?? '' };
}

const versions = new WeakMap<TestDatabase, string>();

/** How often each table's rows were written, counted by the transactions that wrote them. */
async function rowVersions(db: TestDatabase): Promise<string> {
  const known = versions.get(db);
  if (known !== undefined) return known;
  const tables = await db.asOwner<{ name: string; owner: string | null }>(`
    SELECT c.oid::regclass::text AS name,
      (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('user_id', 'created_by') LIMIT 1) AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('lowrank', 'identity') AND c.relname <> 'rate_limits' ORDER BY 1`);
  const parts = tables.map(({ name, owner }) => {
    const theirs = owner ?? (name === 'identity.users' ? 'id' : null);
    // A key notes when it was used last, whatever it was used for.
    const version = name === 'identity.api_keys' ? `hashtext((to_jsonb(t) - 'last_used_at')::text)` : 't.xmin::text';
    const sum = (filter: string) => `concat(count(*) ${filter}, '.', sum(${version}::bigint) ${filter})`;
    return `SELECT '${name}' AS name, ${sum('')} AS every, ${sum(`FILTER (WHERE ${theirs === null ? 'false' : `t.${theirs} = '$user'`})`)} AS mine FROM ${name} t`;
  });
  const text = parts.join(' UNION ALL ');
  versions.set(db, text);
  return text;
}

/** One number for every file below some folders: names and sizes. */
export async function diskDigest(folders: string[]): Promise<string> {
  const sum = createHash('sha256');
  for (const folder of folders) {
    const files = await readdir(folder, { recursive: true }).catch(() => [] as string[]);
    for (const file of files.sort()) {
      const { size, mode } = await stat(join(folder, file));
      sum.update(`${file} ${size} ${mode}\n`);
    }
  }
  return sum.digest('hex');
}

/** What of somebody an answer says that its reader must not know, besides the id that they asked for. */
export function canariesIn(answer: Answer, of: Tenant, asked: string): string[] {
  const said = `${JSON.stringify(answer.headers)} ${answer.body}`;
  const ids = Object.entries(of.things).flatMap(([kind, states]) =>
    SHARED.has(kind as Kind) || OF_ADMINISTRATORS.has(kind as Kind) ? [] : Object.values(states),
  );
  return [of.secret, ...ids].filter((word) => word !== asked && said.includes(word));
}

export interface Stage {
  api: Pick<Api, 'request'>;
  db: TestDatabase;
  /** Whoever asks for things that are not theirs. */
  stranger: Tenant;
  owner: Tenant;
  /** Of each kind only the plainest thing: where it must be quick. */
  only_plainest?: boolean;
}

/** A random id that looks like one of its kind. */
function unknownId(kind: Kind): string {
  if (kind === 'gpu') return `GPU-${randomUUID().slice(0, 8)}`;
  return kind === 'cost' ? costCursor(randomUUID()) : randomUUID();
}

/** Asks one place for each of the owner's things of its kind, as the stranger. */
export async function* findForeignLeaks(stage: Stage, input: IdInput): AsyncGenerator<string> {
  const { api, db, stranger, owner } = stage;
  const { operation, kind } = input;
  const keeps = operation.method !== 'GET' && input.place === 'path' && stranger.role === 'administrator';
  // An administrator keeps the registry, too.
  if (keeps && SHARED.has(kind)) return;
  const ask = async (id: string) => {
    if (operation.method !== 'GET') await noWaiting(db);
    return send(api, stranger.headers, requestOf(operation, stranger.things, { input, id }));
  };
  const unknown = unknownId(kind);
  const before = await digest(db, owner.user_id);
  const none = await ask(unknown);
  let now = operation.method === 'GET' ? before : await digest(db, owner.user_id);
  if (!succeeded(none) && now.all !== before.all) yield `${nameOf(input)}: a refusal changed the database`;
  for (const [state, id] of Object.entries(owner.things[kind]).slice(0, stage.only_plainest === true ? 1 : undefined)) {
    const at = `${nameOf(input)} ${state}`;
    const answer = await ask(id);
    const then = operation.method === 'GET' ? now : await digest(db, owner.user_id);
    if (then.theirs !== now.theirs) yield `${at}: a stranger changed the owner's rows (${answer.status})`;
    if (!succeeded(answer) && then.all !== now.all) yield `${at}: a refusal (${answer.status}) changed the database`;
    now = then;
    const told = canariesIn(answer, owner, id);
    if (told.length > 0) yield `${at}: tells a stranger ${told.join(', ')} (${answer.status})`;
    if (answer.status >= 500) yield `${at}: answers ${answer.status}`;
    if (whereOf(input) === TELLS_WHOSE) {
      const wanted = state === 'deleted' ? none.status : 403;
      if (answer.status !== wanted) yield `${at}: answers ${answer.status} instead of ${wanted}`;
    } else if (SHARED.has(kind) && input.field !== 'entity_id') {
      const refused = operation.method !== 'GET' && input.place === 'path';
      if (refused && answer.status !== 403) yield `${at}: answers ${answer.status} instead of 403`;
    } else if (masked(answer, id) !== masked(none, unknown))
      yield `${at}: is told from one that is not there: ${masked(answer, id)} / ${masked(none, unknown)}`;
  }
  if (operation.method === 'GET' && (await digest(db, owner.user_id)).all !== before.all)
    yield `${nameOf(input)}: a read changed the database`;
}

/** Sends the owner's whole request as the stranger: every id in it is the owner's, as if it had been overheard. */
export async function* findOverheardLeaks({ api, db, stranger, owner }: Stage, operation: Operation): AsyncGenerator<string> {
  const kinds = idInputsOf([operation]).map(({ kind }) => kind);
  if (kinds.length === 0) return;
  if (kinds.some((kind) => OF_ADMINISTRATORS.has(kind) || (SHARED.has(kind) && stranger.role === 'administrator'))) return;
  // What everybody shares is known to everybody.
  const things = Object.fromEntries(
    Object.entries(owner.things).map(([kind, states]) => [
      kind,
      SHARED.has(kind as Kind) ? states : { none: unknownId(kind as Kind) },
    ]),
  ) as Tenant['things'];
  const overheard = requestOf(operation, owner.things);
  const made_up = requestOf(operation, things);
  if (overheard.path === made_up.path && overheard.init.body === made_up.init.body) return;
  await noWaiting(db);
  const before = await digest(db, owner.user_id);
  const none = await send(api, stranger.headers, made_up);
  const answer = await send(api, stranger.headers, overheard);
  const after = await digest(db, owner.user_id);
  const at = `${operation.name} overheard`;
  if (after.theirs !== before.theirs) yield `${at}: a stranger changed the owner's rows (${answer.status})`;
  if (!succeeded(answer) && !succeeded(none) && after.all !== before.all) yield `${at}: a refusal changed the database`;
  const said = `${overheard.path} ${String(overheard.init.body)}`;
  const told = canariesIn(answer, owner, '').filter((word) => !said.includes(word));
  if (told.length > 0) yield `${at}: tells a stranger ${told.join(', ')} (${answer.status})`;
  const of_door_a = TELLS_WHOSE.startsWith(operation.name);
  if (!of_door_a && masked(answer, '') !== masked(none, ''))
    yield `${at}: is told from things that are not there: ${masked(answer, '')} / ${masked(none, '')}`;
}

/** Looks and stores nothing, although it is a POST. */
const STORES_NOTHING = new Set(['POST /api/jobs/estimate', 'POST /api/experiments/preflight']);

/** Asks one place for the asker's own things: one of them at least must do what it is there for, and say more than none does. */
export async function findUnableOwner(
  api: Pick<Api, 'request'>,
  db: TestDatabase,
  owner: Tenant,
  input: IdInput,
): Promise<string[]> {
  const { operation, kind } = input;
  const changes = operation.method !== 'GET' && !STORES_NOTHING.has(operation.name);
  const answers: string[] = [];
  const unknown = unknownId(kind);
  const ask = async (id: string) => {
    if (operation.method !== 'GET') await noWaiting(db);
    return send(api, owner.headers, requestOf(operation, owner.things, { input, id }));
  };
  const none = await ask(unknown);
  for (const [state, id] of Object.entries(owner.things[kind])) {
    const before = changes ? (await digest(db, owner.user_id)).all : '';
    const answer = await ask(id);
    if (answer.status >= 500) return [`${nameOf(input)} ${state}: answers its owner ${answer.status} ${answer.body}`];
    const same = masked(answer, id) === masked(none, unknown);
    const done = !changes || (await digest(db, owner.user_id)).all !== before;
    if (succeeded(answer) && done && !same) return [];
    answers.push(`${state} ${answer.status} ${done ? '' : 'changed nothing '}${answer.body.slice(0, 300)}`);
  }
  return [`${nameOf(input)}: does nothing for its owner, so that its refusals prove nothing (${answers.join('; ')})`];
}

/** Sends a request that names no id: it must be done. */
export async function findUndone(
  api: Pick<Api, 'request'>,
  db: TestDatabase,
  who: Tenant,
  operation: Operation,
): Promise<string[]> {
  await noWaiting(db);
  const before = await digest(db, who.user_id);
  const { path, init } = requestOf(operation, who.things);
  const key: Record<string, string> = operation.parameters.some(({ name }) => name === 'Idempotency-Key')
    ? { 'idempotency-key': 'once' }
    : {};
  const answer = await send(api, who.headers, { path, init: { ...init, headers: { ...(init.headers as object), ...key } } });
  const done = operation.method === 'GET' || (await digest(db, who.user_id)).all !== before.all;
  return succeeded(answer) && done ? [] : [`${operation.name}: is not done (${answer.status} ${answer.body.slice(0, 300)})`];
}

/** Every question that a list can be asked, its filters' words one by one, and what is searched for. */
function* questionsOf({ template, parameters }: Operation, words: string[]): Generator<string> {
  yield template;
  for (const { name, in: place, schema } of parameters) {
    if (place !== 'query') continue;
    if (name === 'limit') yield `${template}?limit=2`;
    if (name === 'offset') yield `${template}?offset=1`;
    if (name === 'page') yield `${template}?page=2&limit=2`;
    if (name === 'billing_period') yield `${template}?billing_period=2026-03`;
    if (name === 'search' || name === 'q') for (const word of words) yield `${template}?${name}=${encodeURIComponent(word)}`;
    for (const word of schema.enum ?? []) yield `${template}?${name}=${word}`;
  }
}

/** All that somebody's lists say: rows, totals, cursors, whatever is filtered or searched for. */
export async function listsOf(
  api: Pick<Api, 'request'>,
  operations: Operation[],
  who: Tenant,
  words: string[],
): Promise<Map<string, string>> {
  const said = new Map<string, string>();
  for (const operation of operations.filter((one) => one.is_list && one.template !== SHARED_LIST))
    for (const path of questionsOf(operation, words)) said.set(path, await readOf(api, who, path));
  return said;
}

/** All that somebody is told of their own things by their ids. */
export async function thingsOf(api: Pick<Api, 'request'>, operations: Operation[], who: Tenant): Promise<Map<string, string>> {
  const said = new Map<string, string>();
  const reads = operations.filter(
    ({ method, is_stream, is_public, template }) =>
      method === 'GET' && !is_stream && !is_public && template.includes('{') && !template.endsWith('/download'),
  );
  for (const { path } of reads.map((operation) => requestOf(operation, who.things))) said.set(path, await readOf(api, who, path));
  return said;
}

/** What one path says to somebody, without what is of the moment. */
export async function readOf(api: Pick<Api, 'request'>, who: Tenant, path: string): Promise<string> {
  const { status, body } = await send(api, who.headers, { path, init: {} });
  const of_load = path.startsWith('/api/queue') ? LOAD : /$^/g;
  return `${status} ${body.replaceAll(/req_[0-9a-f-]{36}/g, '<request>').replaceAll(of_load, '')}`;
}
/** When and why not yet: contracts.md has the queue tell how busy the installation is, and by nothing else. */
const LOAD = /"(reason|message|predicted_start_at|unpredicted_because)":("[^"]*"|null),?/g;
/** The registry is everybody's. */
const SHARED_LIST = '/api/base-models';

/** Gives somebody fifty more of everything that lists show. */
export async function addCrowd(db: TestDatabase, user_id: string): Promise<void> {
  const tables = await db.asOwner<{ name: string }>(`
    SELECT c.oid::regclass::text AS name FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = 'lowrank'::regnamespace
      AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('id', 'user_id', 'created_at')) = 3`);
  const copies = tables.map(
    ({ name }) => `INSERT INTO ${name} SELECT r.* FROM generate_series(1, 50) n,
      (SELECT * FROM ${name} WHERE user_id = '${user_id}' ${ONE_OF_MANY[name] ?? ''} ORDER BY created_at LIMIT 1) t,
      jsonb_populate_record(NULL::${name},
        to_jsonb(t) || jsonb_build_object('id', gen_random_uuid(), 'created_at', now() - n * interval '1 s')) r`,
  );
  await db.asOwner(`BEGIN; SET LOCAL session_replication_role = replica; ${copies.join(';')}; COMMIT`);
}
/** What there can be many of, where not of each. */
const ONE_OF_MANY: Record<string, string> = {
  'lowrank.training_jobs': 'AND slot IS NULL AND deleted_at IS NULL',
  'lowrank.model_artifacts': `AND kind <> 'adapter' AND deleted_at IS NULL`,
  'lowrank.webhook_secrets': 'AND expires_at IS NOT NULL',
};
