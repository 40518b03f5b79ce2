// How many tests a suite's own report says passed and failed.

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {Counts & { name: string, word: string }} Suite */

/**
 * Vitest's JSON report. A file that fails outside its tests (an import, a hook) is one failure more.
 * @param {string} text
 * @returns {Counts}
 */
export function countVitest(text) {
  const report = JSON.parse(text);
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = report.testResults;
  const broken = files.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  };
}

/**
 * pytest's JUnit report.
 * @param {string} text
 * @returns {Counts}
 */
export function countPytest(text) {
  const head = /<testsuite\s[^>]*>/.exec(text)?.[0] ?? '';
  const number = (/** @type {string} */ name) => Number(new RegExp(`\\s${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = number('failures') + number('errors');
  return { passed: number('tests') - failed - number('skipped'), failed, skipped: number('skipped') };
}

/**
 * One suite's result. A suite that left no report, ran nothing, or ended badly although all its tests passed is a failure.
 * @param {string} name @param {Counts | null} counts @param {number | null} code its exit code
 * @returns {Suite}
 */
export function summarise(name, counts, code) {
  if (counts === null) return { name, passed: 0, failed: 1, skipped: 0, word: `it left no report, exit code ${code}` };
  if (counts.passed + counts.failed === 0) return { ...counts, name, failed: 1, word: 'no test ran' };
  if (code !== 0 && counts.failed === 0)
    return { ...counts, name, failed: 1, word: `all tests passed, but it ended with exit code ${code}` };
  return { ...counts, name, word: '' };
}
