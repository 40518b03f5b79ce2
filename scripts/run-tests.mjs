// Every suite in one go: Vitest, then pytest beside the tests that mostly wait. The last line counts them all: `N passed, N failed`.
// Arguments choose: paths below trainer/ go to pytest, everything else to Vitest, and a suite without any is left out.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countPytest, countVitest, summarise } from './setup/test-counts.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const results = join(root, 'test-results');
mkdirSync(results, { recursive: true });

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
/** @type {NodeJS.Signals | null} */
let interrupted = null;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    interrupted = signal;
    for (const child of running) child.kill(signal);
  });
}

/**
 * Runs one suite in full view, or with all that it says in `quiet`, and counts what its report says.
 * @param {string} name @param {string} program @param {string[]} args @param {string} report
 * @param {(text: string) => import('./setup/test-counts.mjs').Counts} count @param {number | null} quiet an open file
 */
function runSuite(name, program, args, report, count, quiet = null) {
  rmSync(report, { force: true });
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', quiet ?? 'inherit', quiet ?? 'inherit'] });
    running.add(child);
    child.on('error', (error) => done({ name, passed: 0, failed: 1, skipped: 0, word: error.message }));
    child.on('close', (code) => {
      running.delete(child);
      const text = existsSync(report) ? readFileSync(report, 'utf8') : null;
      done(summarise(name, text === null ? null : count(text), code));
    });
  });
}

const chosen = process.argv.slice(2);
const for_pytest = chosen.filter((argument) => /^(\.\/)?trainer(\/|$)/.test(argument));
const for_vitest = chosen.filter((argument) => !for_pytest.includes(argument));
/** @type {import('./setup/test-counts.mjs').Suite[]} */
const suites = [];
/** @param {string} name @param {string[]} chosen_tests */
async function runVitest(name, chosen_tests) {
  const report = join(results, `${name.replaceAll(' ', '-')}.json`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...chosen_tests];
  suites.push(await runSuite(name, process.execPath, args, report, countVitest));
}

/** @param {string} name @param {string[]} paths @param {number | null} quiet */
async function runPytest(name, paths, quiet = null) {
  const report = join(results, `${name.replaceAll(' ', '-')}.xml`);
  const python = [
    join(root, 'trainer/.venv/bin/python'),
    '-m',
    'pytest',
    '-p',
    'no:cacheprovider',
    `--junitxml=${report}`,
    ...paths,
  ];
  // Beside tests that must keep a time it takes what they leave.
  const [program = '', ...args] = quiet === null ? python : ['nice', '-n', '19', ...python];
  suites.push(await runSuite(name, program, args, report, countPytest, quiet));
}

/** Tests of promised times hold two processors for less than half of theirs: pytest runs meanwhile, and is shown afterwards. */
async function runDeadlinesBesidePytest() {
  const said = join(results, 'pytest.log');
  const quiet = openSync(said, 'w');
  const beside = (async () => {
    await runPytest('pytest', ['trainer'], quiet);
    // Each has a conftest of its own, so each is a run of its own.
    if (interrupted === null) await runPytest('pytest demo', ['demo/tests'], quiet);
  })();
  await Promise.all([runVitest('Vitest deadlines', ['--project=deadlines']), beside]);
  closeSync(quiet);
  process.stdout.write(readFileSync(said));
}

if (chosen.length === 0) {
  await runVitest('Vitest', ['--project=!deadlines']);
  if (interrupted === null) await runDeadlinesBesidePytest();
}
if (for_vitest.length > 0) await runVitest('Vitest', for_vitest);
if (interrupted === null && for_pytest.length > 0) await runPytest('pytest', for_pytest);
for (const suite of suites) {
  const skipped = suite.skipped > 0 ? `, ${suite.skipped} skipped` : '';
  console.log(
    `${suite.name}: ${suite.passed} passed, ${suite.failed} failed${skipped}${suite.word === '' ? '' : ` (${suite.word})`}`,
  );
}
const passed = suites.reduce((sum, suite) => sum + suite.passed, 0);
const failed = suites.reduce((sum, suite) => sum + suite.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = interrupted === null ? Number(failed > 0) : 128 + constants.signals[interrupted];
