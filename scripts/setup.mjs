// `node scripts/setup.mjs NAME [-- ARGUMENTS]`: sets up what NAME needs, once, and then runs it under Node 24.
// Runs on any Node from 20 on with nothing installed, so it is plain JavaScript and uses built-in modules only.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { handOver } from './setup/hand-over.mjs';
import { takeLock } from './setup/lock.mjs';
import { ensureNodeModules, nodeProgram } from './setup/node-modules.mjs';
import { ensurePages } from './setup/pages.mjs';
import { checkMachine, readMachine } from './setup/platform.mjs';
import { endCurrent, reportChildrenTo } from './setup/run-program.mjs';
import { ensureSchemathesis } from './setup/schemathesis.mjs';
import { SetupError } from './setup/setup-error.mjs';
import { ensureTestTools } from './setup/test-tools.mjs';
import { checkTrainer, ensureTrainer } from './setup/trainer.mjs';

/** @typedef {{ trainer?: boolean, dev?: boolean, pages?: boolean, run?: string[] }} Command */

/** @type {Record<string, Command>} */
const COMMANDS = {
  demo: { trainer: true, pages: true, run: ['src/cli.ts', 'demo'] },
  start: { trainer: true, pages: true, run: ['src/cli.ts', 'start'] },
  lowrank: { run: ['src/cli.ts'] },
  estimate: { run: ['src/cli.ts', 'estimate'] },
  image: { run: ['scripts/build-image.ts'] },
  bench: { trainer: true, pages: true, run: ['bench/run.ts'] },
  test: { trainer: true, dev: true, pages: true, run: ['scripts/run-tests.mjs'] },
  setup: { trainer: true, dev: true },
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} word */
function say(word) {
  process.stderr.write(`lowrank: ${word}\n`);
}

/** @param {Command} command @returns {Promise<Record<string, string>>} variables for the command */
async function setUp(command) {
  const lock = await takeLock(root, say);
  reportChildrenTo(lock.note_child);
  let interrupted = false;
  for (const [signal, code] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])) {
    process.on(signal, () => {
      if (interrupted) return;
      interrupted = true;
      void endCurrent('SIGTERM').then(() => {
        lock.release();
        process.stderr.write('\n');
        say('set-up was interrupted; the next run carries on from here');
        process.exit(code);
      });
    });
  }
  try {
    // What only a person can mend comes first, before minutes of downloads.
    const variables = command.dev && command.run ? await ensureTestTools(process.env, say) : {};
    if (command.trainer) checkTrainer(root, { dev: command.dev === true });
    await ensureNodeModules(root);
    if (command.trainer) await ensureTrainer(root, { dev: command.dev === true });
    if (command.dev) await ensureSchemathesis(root);
    if (command.pages) await ensurePages(root);
    return variables;
  } catch (error) {
    // The interruption itself made the installer fail: its handler says so and ends us.
    if (interrupted) return new Promise(() => undefined);
    throw error;
  } finally {
    if (!interrupted) lock.release();
  }
}

async function main() {
  const [name = '', ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new SetupError(`There is no command "${name}".`, `Commands: ${Object.keys(COMMANDS).join(', ')}.`);
  checkMachine(readMachine());
  const variables = await setUp(command);
  const entry = command.run?.[0];
  if (command.run === undefined || entry === undefined) return 0;
  if (!existsSync(join(root, entry)))
    throw new SetupError(`${entry} is missing from this checkout.`, 'Restore it (git checkout), then run the command again.');
  return handOver(root, nodeProgram(root), [...command.run, ...(rest[0] === '--' ? rest.slice(1) : rest)], variables);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  for (const line of error.lines) process.stderr.write(`  | ${line}\n`);
  say(error.message);
  say(error.cure);
  process.exitCode = 1;
}
