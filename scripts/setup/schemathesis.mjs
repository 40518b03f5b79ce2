// The virtual environment of Schemathesis, which tests the API by its own document. Apart from the trainer's, for that one is shipped.
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { choosePython, findPythons, isDebian } from './platform.mjs';
import { step } from './progress.mjs';
import { plainEnvironment, runProgram } from './run-program.mjs';
import { dropStamp, hashOf, readStamp, writeStamp } from './stamps.mjs';
import { PIP, pipCure } from './trainer.mjs';

const STEP = 'schemathesis';
const VENV = join('test', 'schemathesis', '.venv');
const REQUIREMENTS = 'test/schemathesis/requirements.txt';

/**
 * Makes it unless it is there and whole; one that was left half-way is made anew.
 * @param {string} root
 */
export async function ensureSchemathesis(root) {
  const python = join(root, VENV, 'bin', 'python');
  const wanted = hashOf(root, [REQUIREMENTS]);
  const stamp = readStamp(root, STEP);
  if (existsSync(python) && stamp?.requirements === wanted && stamp.base === realpathSync(python)) return;
  dropStamp(root, STEP);
  rmSync(join(root, VENV), { recursive: true, force: true });
  const base = choosePython(findPythons(plainEnvironment(process.env)), isDebian());
  const options = { cwd: root, env: plainEnvironment(process.env), cure: pipCure };
  await step('Installing Schemathesis for the tests of the API', async () => {
    const what = 'Schemathesis could not be installed';
    await runProgram(base.executable, ['-m', 'venv', join(root, VENV)], { ...options, what });
    await runProgram(python, [...PIP, 'install', '-r', REQUIREMENTS, '--progress-bar', 'off'], { ...options, what });
    await runProgram(python, [...PIP, 'check'], { ...options, what: 'The packages of Schemathesis do not fit together' });
  });
  writeStamp(root, STEP, { requirements: wanted, base: realpathSync(python) });
}
