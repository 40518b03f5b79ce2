import { type Finding, problem } from './finding.ts';

/** One thing that the doctor looks at, on its own and within a time. */
export interface Check {
  topic: string;
  within_ms: number;
  look: () => Promise<Finding[]>;
}

/** Looks, and never throws or hangs: a check that fails is itself a finding. */
export async function runCheck(check: Check): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    const found = `gave no answer within ${check.within_ms / 1000} s`;
    const cure = 'Look at what keeps this machine busy (uptime, dmesg), then ask again: npm run lowrank -- doctor';
    timer = setTimeout(() => resolve([problem(check.topic, found, cure)]), check.within_ms);
  });
  try {
    return await Promise.race([check.look(), late]);
  } catch (error) {
    const words = (error instanceof Error ? error.message : String(error)).trim() || 'failed without a word';
    const cure =
      error instanceof Error && 'cure' in error ? String(error.cure) : 'If this does not tell you what to do, report it.';
    // An error with a cure ends with it: it is told once.
    return [problem(check.topic, words.endsWith(cure) ? words.slice(0, -cure.length).trimEnd() : words, cure)];
  } finally {
    clearTimeout(timer);
  }
}
