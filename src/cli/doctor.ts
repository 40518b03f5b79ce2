import { renderFindings } from './doctor/finding.ts';

/** `lowrank doctor`: looks at this machine and this installation, and names the cure of whatever is wrong. Exit code 1 when something is. */
export async function doctor(): Promise<void> {
  console.log('');
  // Loaded here, so that a variable that breaks its rule is a finding like any other and not the end of us.
  const findings = await import('./doctor/examine.ts').then(
    ({ examine }) => examine(),
    (error: Error) => [
      {
        topic: 'environment',
        level: 'problem',
        found: error.message,
        cure: 'Correct the variables that are named, or unset them',
      } as const,
    ],
  );
  for (const line of renderFindings(findings)) console.log(line);
  console.log('');
  process.exitCode = Number(findings.some(({ level }) => level === 'problem'));
}
