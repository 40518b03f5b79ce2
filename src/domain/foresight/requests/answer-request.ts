/** The answer of `lowrank estimate` to one line. Sizes in GB of 1e9 bytes. */
import { GB } from '../../bytes.ts';
import type { MemoryComponents } from '../forecast.ts';
import { estimateTime } from '../time/estimate-time.ts';
import { fullRows } from '../time/token-load.ts';
import { type Verdict, verdictOf } from '../verdict.ts';
import { estimateAnybodys } from './estimate-anybodys.ts';
import { type PlannedRequest, planRequest, RequestFault, readRequest } from './estimate-request.ts';

export interface EstimateAnswer {
  id: string | number;
  memory_gb: {
    /** Highest that torch's allocator reserves. */
    allocator: number;
    /** Highest that nvidia-smi sees, and its 5th and 95th percentile. */
    device: number;
    low: number;
    high: number;
    components: MemoryComponents;
  };
  seconds_per_step: number;
  /** Of all devices together. */
  tokens_per_second: number;
  verdict: Verdict;
  assumptions: string[];
}

export interface EstimateRefusal {
  /** null: the line has none that can be read. */
  id: string | number | null;
  error: { field: string; message: string };
}

/** Foretells what a line asks; a line that breaks a rule is refused, never thrown. */
export function answerOf(request: unknown): EstimateAnswer | EstimateRefusal {
  try {
    return foretold(request);
  } catch (error) {
    if (error instanceof RequestFault) return { id: idOf(request), error: { field: error.field, message: error.message } };
    throw error;
  }
}

function foretold(request: unknown): EstimateAnswer {
  const planned = planRequest(readRequest(request));
  const { id, model, device, assumptions } = planned;
  const { run, memory } = withCheckpointing(planned);
  const time = estimateTime(model, run, device, fullRows(run));
  return {
    id,
    memory_gb: {
      allocator: inGb(memory.allocator_bytes),
      device: inGb(memory.device_bytes),
      low: inGb(memory.low_bytes),
      high: inGb(memory.high_bytes),
      components: Object.fromEntries(
        Object.entries(memory.components).map(([name, bytes]) => [name, inGb(bytes)]),
      ) as unknown as MemoryComponents,
    },
    seconds_per_step: Number(time.seconds_per_step.toPrecision(6)),
    tokens_per_second: Number(time.tokens_per_second.toPrecision(6)),
    verdict: verdictOf(memory, device),
    assumptions: [...new Set([...assumptions, ...memory.assumptions, ...time.assumptions])],
  };
}

/** Checkpointing as it was asked for, or else where it does not fit without. */
function withCheckpointing(planned: PlannedRequest) {
  const { run, device, chooses_checkpointing, assumptions } = planned;
  const memory = estimateAnybodys(planned);
  if (!chooses_checkpointing) return { run, memory };
  const needed = verdictOf(memory, device) !== 'fits';
  assumptions.push(
    needed
      ? 'Gradient checkpointing is taken as on: nothing is said of it, and without it this would not surely fit.'
      : 'Gradient checkpointing is taken as off: nothing is said of it, and this fits without.',
  );
  if (!needed) return { run, memory };
  const checkpointed = { ...run, gradient_checkpointing: true };
  return { run: checkpointed, memory: estimateAnybodys({ ...planned, run: checkpointed }) };
}

/** To the tenth of a megabyte. */
const inGb = (bytes: number): number => Number((bytes / GB).toFixed(4));

/** The id of a line that is refused for something else. */
function idOf(request: unknown): string | number | null {
  const id = typeof request === 'object' && request !== null && 'id' in request ? request.id : null;
  return (typeof id === 'string' && id.length <= 200) || Number.isSafeInteger(id) ? (id as string | number) : null;
}
