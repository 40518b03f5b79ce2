// What only the tests need from the machine: a browser, and the oldest PostgreSQL that Lowrank supports.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { step } from './progress.mjs';
import { runProgram, tryProgram } from './run-program.mjs';
import { SetupError } from './setup-error.mjs';

const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const POSTGRES_15 = '/usr/lib/postgresql/15/bin';
/** Public data that one test trains on; it is read beside the checkout and never copied into it. */
const REAL_ROWS = join(import.meta.dirname, '../../../shared/data/gsm8k/train.jsonl');
/** Photographs of two things, which one test uploads; not ours to copy either. */
const PHOTOGRAPHS = join(import.meta.dirname, '../../../shared/data/dreambooth');
const CLUSTER_SETTINGS = '/etc/postgresql-common/createcluster.conf';

/** Debian's package makes and starts a server of its own unless it is told not to; we want the programs alone. */
function wantNoCluster() {
  if (existsSync(CLUSTER_SETTINGS)) return;
  mkdirSync(dirname(CLUSTER_SETTINGS), { recursive: true });
  writeFileSync(CLUSTER_SETTINGS, 'create_main_cluster = false\n');
}

/**
 * The first program of `paths`, the caller's own choice first; null when none is there.
 * @param {string | undefined} chosen @param {string[]} paths @param {(path: string) => boolean} [exists]
 */
export function firstProgram(chosen, paths, exists = existsSync) {
  return (chosen ? [chosen] : paths).find((path) => exists(path)) ?? null;
}

/**
 * Only a machine that says it is for tests gets packages without being asked.
 * @param {NodeJS.ProcessEnv} env @param {number | undefined} uid @param {(path: string) => boolean} [exists]
 */
export function mayInstall(env, uid, exists = existsSync) {
  return env.CI === 'true' && uid === 0 && exists('/usr/bin/apt-get');
}

let lists_are_fresh = false;

/** @param {string} what @param {string[]} packages */
async function aptInstall(what, packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await step(`Installing ${what}`, async (detail) => {
    const quiet = ['-y', '-q', '-o', 'Dpkg::Options::=--force-confold', '-o', 'DPkg::Lock::Timeout=300'];
    if (!lists_are_fresh) lists_are_fresh = (await tryProgram('apt-get', ['update', '-q'], { env, on_line: detail })).code === 0;
    await runProgram('apt-get', ['install', ...quiet, '--no-install-recommends', ...packages], {
      env,
      on_line: detail,
      what: `apt-get could not install ${packages.join(' ')}`,
      cure: 'Install it by hand, then run the command again.',
    });
  });
}

/**
 * Finds the tests' programs, installing them on a test machine. Returns the variables that name them for the tests.
 * @param {NodeJS.ProcessEnv} env @param {(word: string) => void} say
 * @returns {Promise<Record<string, string>>}
 */
export async function ensureTestTools(env, say) {
  const installing = mayInstall(env, process.getuid?.());
  const browser = () => firstProgram(env.CHROMIUM_PATH, BROWSERS);
  if (browser() === null && installing && !env.CHROMIUM_PATH) await aptInstall('Chromium', ['chromium', 'fonts-liberation']);
  const chromium = browser();
  if (chromium === null) {
    const where = env.CHROMIUM_PATH
      ? `CHROMIUM_PATH names ${env.CHROMIUM_PATH}, which is not there.`
      : 'The tests need Chromium, and there is none.';
    throw new SetupError(where, 'Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH to a Chrome of yours.');
  }
  const server = () =>
    firstProgram(env.POSTGRES_15_BIN && join(env.POSTGRES_15_BIN, 'postgres'), [join(POSTGRES_15, 'postgres')]);
  if (server() === null && installing && !env.POSTGRES_15_BIN) {
    wantNoCluster();
    await aptInstall('PostgreSQL 15', ['postgresql-15']);
  }
  const postgres = server();
  if (postgres === null)
    say(
      'the migration tests on PostgreSQL 15 will fail: install it (Debian: apt-get install postgresql-15), or set POSTGRES_15_BIN to its bin folder',
    );
  const rows = env.GSM8K_FILE ?? REAL_ROWS;
  if (!existsSync(rows))
    say(
      `the walk on real rows will fail: there is no ${rows}; put gsm8k's train.jsonl there, name yours in GSM8K_FILE, or leave that test out (npm test -- PATHS)`,
    );
  const photographs = env.DREAMBOOTH_FOLDER ?? PHOTOGRAPHS;
  if (!existsSync(photographs))
    say(
      `the check of real photographs will fail: there is no ${photographs}; put teapot and vase of google/dreambooth there, name yours in DREAMBOOTH_FOLDER, or leave that test out (npm test -- PATHS)`,
    );
  return { CHROMIUM_PATH: chromium, ...(postgres === null ? {} : { POSTGRES_15_BIN: join(postgres, '..') }) };
}
