/** What is known of an engine, asked anew when that is old: its facts, and if it can start runs now. */
import type { Readiness } from '../executor.ts';
import { containersOf } from './containers.ts';
import { type Engine, EngineAway } from './engine.ts';
import { type EngineFacts, readEngineFacts } from './engine-facts.ts';
import { lacksGpus, refusesGpus } from './gpu-check.ts';

export interface EngineWatchOptions {
  /** Null: there is no way to an engine, for this reason. */
  engine: Engine | { refused: string };
  /** The image of a run that names none. */
  image: string;
  worker_id: string;
  /** Its runs are given GPUs. */
  has_gpus: boolean;
  /** How old an answer of the engine about itself may be. */
  facts_ms: number;
}

/** Between two containers that only try for GPUs. */
const GPUS_AGAIN_MS = 60_000;

export const noImage = (image: string) =>
  `the container engine has no image ${image}: build it with npm run image, or name another one in TRAINING_IMAGE`;

export class EngineWatch {
  readonly #options: EngineWatchOptions;
  #facts: { at: number; facts: Promise<EngineFacts> } | undefined;
  #readiness: { at: number; answer: Promise<Readiness> } | undefined;
  #gpus: { at: number; lack: string | null } | undefined;

  constructor(options: EngineWatchOptions) {
    this.#options = options;
  }

  /** Throws `EngineAway` where there is no way to one. */
  get engine(): Engine {
    const { engine } = this.#options;
    if ('refused' in engine) throw new EngineAway(engine.refused);
    return engine;
  }

  /** Throws `EngineAway` and `EngineRefusal`. */
  facts(): Promise<EngineFacts> {
    const now = performance.now();
    if (this.#facts !== undefined && now - this.#facts.at < this.#options.facts_ms) return this.#facts.facts;
    const facts = Promise.resolve().then(() => readEngineFacts(this.engine));
    this.#facts = { at: now, facts };
    facts.catch(() => {
      this.#facts = undefined;
    });
    return facts;
  }

  ready(): Promise<Readiness> {
    const now = performance.now();
    if (this.#readiness === undefined || now - this.#readiness.at >= this.#options.facts_ms)
      this.#readiness = { at: now, answer: this.#look() };
    return this.#readiness.answer;
  }

  /** A run was refused its GPUs: what was known of them is not true any more. */
  gpusWereRefused(): void {
    this.#gpus = undefined;
    this.#readiness = undefined;
  }

  async #look(): Promise<Readiness> {
    const { engine, image } = this.#options;
    if ('refused' in engine) return { state: 'unfit', reason: engine.refused };
    try {
      const facts = await this.facts();
      const image_id = await containersOf(engine).imageId(image);
      const lack = image_id === null ? noImage(image) : await this.#lackOfGpus(facts, image_id);
      return lack === null ? { state: 'ready' } : { state: 'unfit', reason: lack };
    } catch (error) {
      if (error instanceof EngineAway)
        return { state: 'away', reason: `${error.message}: start it, or let the account of the studio speak to it` };
      return { state: 'unfit', reason: (error as Error).message };
    }
  }

  async #lackOfGpus(facts: EngineFacts, image_id: string): Promise<string | null> {
    const { worker_id, has_gpus } = this.#options;
    if (!has_gpus) return null;
    const refusal = refusesGpus(facts);
    if (refusal !== null || facts.tells_of_gpus) return refusal;
    // What is well stays so until a run is refused; what is not may be mended any minute.
    if (this.#gpus !== undefined && (this.#gpus.lack === null || performance.now() - this.#gpus.at < GPUS_AGAIN_MS))
      return this.#gpus.lack;
    const lack = await lacksGpus(this.engine, image_id, worker_id, facts.gpu_way ?? 'hook');
    this.#gpus = { at: performance.now(), lack };
    return lack;
  }
}
