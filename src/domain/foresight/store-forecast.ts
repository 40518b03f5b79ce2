import type { Factor } from './forecast.ts';
import type { Forecast } from './foresee.ts';
import type { Range } from './judge-run.ts';
import { FORMULAS, type Foretold, type ToldForecast } from './learning/observed-run.ts';

const told = (formula: number, range: Range, { runs, near, same }: Factor): Foretold => ({ ...range, formula, runs, near, same });

/** What of a forecast is kept with its job, for its page and for what its run is held against; null where nothing is known. */
export function storeForecast({ foreseen, hours, cost }: Forecast): ToldForecast | null {
  if (foreseen === null) return null;
  const { memory, time, correction } = foreseen;
  return {
    formulas: FORMULAS,
    gpu: foreseen.device.name,
    features: foreseen.features,
    allocator_bytes: memory.allocator_bytes,
    device_bytes: told(memory.device_bytes, foreseen.device_bytes, correction.memory),
    seconds_per_step: told(time.seconds_per_step, foreseen.seconds_per_step, correction.time),
    hours,
    cost,
  };
}
