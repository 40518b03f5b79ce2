// Every suite in one go: Vitest, then pytest. The last line counts them all: `N passed, N failed`.
// Arguments choose: paths below trainer/ go to pytest, everything else to Vitest, and a suite without any is left out.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countPytest, countVitest, summarise } from './setup/test-counts.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const results = join(root, 'test-results');
mkdirSync(results, { recursive: true });

/** @type {import('node:child_process').ChildProcess | null} */
let current = null;
/** @type {NodeJS.Signals | null} */
let interrupted = null;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    interrupted = signal;
    current?.kill(signal);
  });
}

/**
 * Runs one suite in full view and counts what its report says.
 * @param {string} name @param {string} program @param {string[]} args @param {string} report
 * @param {(text: string) => import('./setup/test-counts.mjs').Counts} count
 */
function runSuite(name, program, args, report, count) {
  rmSync(report, { force: true });
  return new Promise((done) => {
    current = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    current.on('error', (error) => done({ name, passed: 0, failed: 1, skipped: 0, word: error.message }));
    current.on('close', (code) => {
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
if (chosen.length === 0 || for_vitest.length > 0) {
  const report = join(results, 'vitest.json');
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...for_vitest,
  ];
  suites.push(await runSuite('Vitest', process.execPath, args, report, countVitest));
}
/** @param {string} name @param {string[]} paths */
async function runPytest(name, paths) {
  const report = join(results, `${name.replace(' ', '-')}.xml`);
  const args = ['-m', 'pytest', '-p', 'no:cacheprovider', `--junitxml=${report}`, ...paths];
  suites.push(await runSuite(name, join(root, 'trainer/.venv/bin/python'), args, report, countPytest));
}
if (interrupted === null && (chosen.length === 0 || for_pytest.length > 0)) {
  await runPytest('pytest', for_pytest.length > 0 ? for_pytest : ['trainer']);
}
// Each has a conftest of its own, so each is a run of its own.
if (interrupted === null && chosen.length === 0) await runPytest('pytest demo', ['demo/tests']);
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
