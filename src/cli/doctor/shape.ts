// Tables, indexes, policies, keys, triggers and grants of the database, each held against what the migrations make.
import type { ShapeDifference, ShapeItem, ShapeKind } from '#/db/shape.ts';
import { type Finding, ok, problem } from './finding.ts';

const TOPICS: Record<string, { kinds: ShapeKind[]; without: string }> = {
  tables: { kinds: ['table', 'column'], without: 'what is kept there is lost' },
  indexes: { kinds: ['index'], without: 'lists and the queue are slow, or something is allowed twice' },
  policies: { kinds: ['policy', 'grant'], without: 'people see or change what is not theirs, or cannot reach what is' },
  keys: { kinds: ['key'], without: 'rows that contradict each other are let in' },
  triggers: { kinds: ['trigger', 'function'], without: 'jobs move as they must not, or nobody hears of it' },
};

/** All rights of one login on one table, from nothing: to revoke a table's right takes those of its columns along. */
function grantsAnew(expected: ShapeItem[], at: string, role: string): string {
  const grants = expected.filter((item) => item.kind === 'grant' && item.at === at && item.name.split(' ')[0] === role);
  const lines = grants.map(({ name, is }) => {
    const column = name.split(' ')[1];
    return `GRANT ${column === undefined ? is : is.replaceAll(/\w+/g, (right) => `${right} (${column})`)} ON ${at} TO ${role};`;
  });
  return [`REVOKE ALL ON ${at} FROM ${role};`, ...lines].join(' ');
}

/** The statement that mends one difference; null where rows are gone with it. `owner`: the role that owns the tables. */
export function mendOf({ item, state }: ShapeDifference, expected: ShapeItem[], owner: string): string | null {
  const { kind, at, name, is } = item;
  const again = (removed: string, made = is) => (state === 'missing' ? `${made};` : `${removed}; ${made};`);
  if (kind === 'grant') return grantsAnew(expected, at, name.split(' ')[0] ?? '');
  if (kind === 'index') return again(`DROP INDEX ${at.split('.')[0]}.${name}`);
  if (kind === 'key') return again(`ALTER TABLE ${at} DROP CONSTRAINT ${name}`);
  if (kind === 'trigger') return again(`DROP TRIGGER ${name} ON ${at}`);
  if (kind !== 'policy') return null;
  if (state === 'added') return `DROP POLICY "${name}" ON ${at};`;
  return again(`DROP POLICY ${name} ON ${at}`, is.replace(/ TO owner(?= |$)/, ` TO ${owner}`));
}

const inWords = ({ state, item }: ShapeDifference): string => {
  const { kind, at, name } = item;
  const what =
    kind === 'table'
      ? at
      : kind === 'function'
        ? `function ${at}`
        : kind === 'grant'
          ? `rights of ${name} on ${at}`
          : `${name} on ${at}`;
  return `${what} is ${state === 'added' ? 'not ours' : state === 'changed' ? 'another than it must be' : 'not there'}`;
};

function cureOf(differences: ShapeDifference[], expected: ShapeItem[], owner: string): string {
  const mends = differences.flatMap((difference) => mendOf(difference, expected, owner) ?? []);
  const functions = differences.filter(({ item }) => item.kind === 'function').map(({ item }) => item.at);
  const cures: string[] = [];
  if (mends.length > 0) cures.push(`As the owner of the database run: ${[...new Set(mends)].join(' ')}`);
  for (const at of functions) cures.push(`Run its newest text as the owner: grep -n 'FUNCTION ${at}(' src/db/migrations/*.sql`);
  if (mends.length + functions.length < differences.length)
    cures.push(
      'Restore a backup, for rows are gone with it: npm run lowrank -- restore FILE (a database of your own: from its dump)',
    );
  return cures.join('; ');
}

/** One finding a topic. Whether policies are forced at all is judged beside this. */
export function judgeShape(expected: ShapeItem[], all: ShapeDifference[], owner: string): Finding[] {
  const differences = all.filter(({ item, state }) => !(item.kind === 'table' && state === 'changed'));
  return Object.entries(TOPICS).map(([topic, { kinds, without }]) => {
    const wrong = differences.filter(({ item }) => kinds.includes(item.kind));
    const count = expected.filter(({ kind }) => kind === kinds[0]).length;
    if (wrong.length === 0) return ok(topic, `${count}, as the migrations make them`);
    return problem(topic, `${without}:\n${wrong.map(inWords).join('\n')}`, cureOf(wrong, expected, owner));
  });
}
