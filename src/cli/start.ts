import { isReadOnTheWay } from '#/domain/listening.ts';
import { env } from '#/env.ts';
import { runCheck } from './doctor/check.ts';
import { storageAnswers } from './doctor/storage.ts';
import { startStudio } from './start-studio.ts';

/** Resolves when a person or the system asks us to end. */
export function untilAskedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}

/** `lowrank start`: the studio for daily use, until Ctrl-C. */
export async function start(): Promise<void> {
  const began = performance.now();
  const ended = untilAskedToEnd();
  const say = (line: string) => console.log(line);
  const storage = runCheck(storageAnswers());
  const studio = await startStudio(say);
  say(`\n  Lowrank is at ${studio.url}   (ready in ${((performance.now() - began) / 1000).toFixed(1)} s)`);
  if (studio.setup_token !== null) {
    say(`\n  First visit: make the owner at ${studio.url}/first-run#${studio.setup_token}`);
    say(`  Set-up token: ${studio.setup_token}`);
  }
  if (isReadOnTheWay(env.HOST, env.PUBLIC_URL)) {
    say('\n  Warning: plain HTTP on an address that others reach: everybody on the way can read passwords and keys.');
    say('  Put a TLS proxy in front and set PUBLIC_URL=https://…');
  }
  const cures = new Set<string>();
  for (const finding of await storage) {
    // What keeps both buckets away is told once.
    if (finding.level === 'ok' || cures.has(finding.cure)) continue;
    cures.add(finding.cure);
    say(`\n  Warning: files cannot be stored or read: ${finding.found}`);
    say(`  ${finding.cure}`);
  }
  say('\n  Ctrl-C ends the studio; trainings that run go on and are found again at the next start.\n');
  await ended;
  say('\nEnding the studio; trainings run on …');
  await studio.stop();
}
