/** The engine's calls that a training needs, each with what its answers mean. */
import * as z from 'zod';
import { type Engine, EngineRefusal } from './engine.ts';

const Inspected = z.looseObject({
  Id: z.string(),
  Image: z.string().default(''),
  Config: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }),
  State: z.looseObject({
    Status: z.string(),
    ExitCode: z.int(),
    OOMKilled: z.boolean().default(false),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
});
const Listed = z.array(z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }));
const Image = z.looseObject({ Id: z.string() });

export interface Container {
  id: string;
  image_id: string;
  labels: Record<string, string>;
  /** Docker's word: created, running, paused, restarting, removing, exited, dead. */
  status: string;
  code: number;
  /** Its memory limit ended one of its processes. */
  oom_killed: boolean;
  /** RFC 3339; the year 1 for what has not happened. */
  started_at: string;
  finished_at: string;
}

/** A bound after which a stop that the engine was asked for is not waited for any more. */
const STOP_MORE_MS = 30_000;

/** Each throws `EngineAway`, and `EngineRefusal` for an answer that it does not expect. */
export function containersOf(engine: Engine) {
  const at = (name: string, verb = '') => `/containers/${encodeURIComponent(name)}${verb}`;
  const remove = async (name: string, force: '0' | '1'): Promise<boolean> => {
    try {
      await engine.ask('DELETE', at(name), { query: { force, v: '1' } });
      return true;
    } catch (error) {
      if (error instanceof EngineRefusal) return error.status === 404;
      throw error;
    }
  };

  return {
    /** Null where the engine has none of that name or id. */
    async inspect(name: string): Promise<Container | null> {
      const said = await orNull([404], engine.ask('GET', at(name, '/json')));
      if (said === null) return null;
      const { Id, Image: image_id, Config, State } = Inspected.parse(said);
      return {
        id: Id,
        image_id,
        labels: Config.Labels ?? {},
        status: State.Status,
        code: State.ExitCode,
        oom_killed: State.OOMKilled,
        started_at: State.StartedAt,
        finished_at: State.FinishedAt,
      };
    },

    /** Makes it; one that has the name already is left as it is. */
    async create(name: string, description: unknown): Promise<void> {
      await orNull([409], engine.ask('POST', '/containers/create', { query: { name }, body: description }));
    },

    /** Starts it; one that runs is left as it is. */
    async start(name: string): Promise<void> {
      await orNull([304], engine.ask('POST', at(name, '/start')));
    },

    /** TERM, and KILL after so many seconds, both by the engine itself. Answers when it has ended. */
    async stop(name: string, grace_s: number): Promise<void> {
      const within_ms = grace_s * 1000 + STOP_MORE_MS;
      await orNull([304, 404], engine.ask('POST', at(name, '/stop'), { query: { t: String(grace_s) }, within_ms }));
    },

    async kill(name: string): Promise<void> {
      await orNull([404, 409], engine.ask('POST', at(name, '/kill'), { query: { signal: 'SIGKILL' } }));
    },

    /** Removes one that does not run; false for one that does. */
    removeStopped: (name: string) => remove(name, '0'),

    /** Kills and removes it; false while the engine cannot. */
    removeAnyway: (name: string) => remove(name, '1'),

    /** The labels of all containers that have these. */
    async list(labels: Record<string, string>): Promise<Record<string, string>[]> {
      const filters = JSON.stringify({ label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) });
      const said = await engine.ask('GET', '/containers/json', { query: { all: '1', filters } });
      return Listed.parse(said).map(({ Labels }) => Labels ?? {});
    },

    /** The id of an image by its name or digest; null where the engine has none. */
    async imageId(reference: string): Promise<string | null> {
      const said = await orNull([404], engine.ask('GET', `/images/${encodeURI(reference)}/json`));
      return said === null ? null : Image.parse(said).Id;
    },
  };
}

/** What is asked for; null where the engine refuses with one of these. */
async function orNull(statuses: number[], asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof EngineRefusal && statuses.includes(error.status)) return null;
    throw error;
  }
}
