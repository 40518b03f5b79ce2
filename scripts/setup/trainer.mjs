// The trainer's virtual environment, from pinned requirements and with exactly the torch that the pin names.
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkDisk, choosePython, findPythons, isDebian, PYTHON_TESTED } from './platform.mjs';
import { step } from './progress.mjs';
import { plainEnvironment, runProgram, tryProgram } from './run-program.mjs';
import { SetupError } from './setup-error.mjs';
import { dropStamp, hashOf, readStamp, writeStamp } from './stamps.mjs';

const STEP = 'trainer';
const VENV = join('trainer', '.venv');
const MARKER = 'unfinished';
const RUNTIME = ['trainer/requirements.txt', 'trainer/constraints.txt'];
const DEV = ['trainer/requirements-dev.txt', ...RUNTIME];

/** @typedef {{ metadata: { name: string, version: string } }} Planned what pip's report says about one package */

/** The one version that the constraints allow for torch. @param {string} constraints */
export function pinnedTorch(constraints) {
  const pin = /^torch==([^\s;#]+)/m.exec(constraints)?.[1];
  if (pin === undefined)
    throw new SetupError('trainer/constraints.txt names no exact torch.', 'It should hold a line torch==VERSION.');
  return pin;
}

/**
 * The torch that pip would take or has, when it is not the pinned one; null when all is well. A build tag (+cpu, +cu130) does not count.
 * @param {string} pin @param {Planned[]} planned @param {string | null} installed
 */
export function wrongTorch(pin, planned, installed) {
  const version = planned.find((one) => one.metadata.name.toLowerCase() === 'torch')?.metadata.version ?? installed;
  if (version === null || version === undefined) return 'no torch at all';
  return version.split('+')[0] === pin ? null : `torch ${version}`;
}

/** Whether pip would bring NVIDIA's libraries, which take several gigabytes. @param {Planned[]} planned */
export function bringsCuda(planned) {
  return planned.some((one) => /^(nvidia-|cuda-)/.test(one.metadata.name));
}

/** @param {string} root */
function trainerPython(root) {
  return join(root, VENV, 'bin', 'python');
}

/** The interpreter that the environment stands on; null when it is gone. @param {string} root */
function standsOn(root) {
  try {
    return realpathSync(trainerPython(root));
  } catch {
    return null;
  }
}

export const PIP = ['-m', 'pip', '--no-input', '--disable-pip-version-check'];

export const pipCure = (/** @type {string[]} */ lines) => {
  const words = lines.join('\n');
  if (/No space left|ENOSPC/.test(words)) return 'The disk is full: free some space, then run the command again.';
  if (/requires a different python|Requires-Python|No matching distribution/i.test(words)) {
    return `These versions are tested with Python ${PYTHON_TESTED}: install it, or name it with PYTHON=python${PYTHON_TESTED}, then run the command again.`;
  }
  if (/NewConnectionError|ReadTimeout|ConnectTimeout|Max retries|SSLError|Temporary failure/.test(words)) {
    return 'Is the Python package index reachable from here (network, proxy)? Then run the command again.';
  }
  return 'Run the command again; if it fails in the same way, the last lines above say why.';
};

/** @param {string} root @param {string[]} args @param {string} what @param {(word: string) => void} detail */
function pip(root, args, what, detail) {
  const on_line = (/** @type {string} */ line) =>
    detail(/^\s*(Collecting|Downloading|Processing|Installing collected packages)\b/.test(line) ? line : '');
  return runProgram(trainerPython(root), [...PIP, ...args], {
    cwd: root,
    env: plainEnvironment(process.env),
    on_line,
    what,
    cure: pipCure,
  });
}

/** The torch in the environment; null when there is none. @param {string} root */
async function installedTorch(root) {
  const asked = await tryProgram(trainerPython(root), ['-c', "import importlib.metadata as m; print(m.version('torch'))"], {
    env: plainEnvironment(process.env),
  });
  return asked.code === 0 ? asked.stdout.trim() : null;
}

/** @param {string} root @param {string[]} files */
async function install(root, files) {
  const args = [...files.flatMap((file) => ['-r', file]), '-c', 'trainer/constraints.txt', '--progress-bar', 'off'];
  const report = join(root, '.setup', 'pip-report.json');
  const pin = pinnedTorch(readFileSync(join(root, 'trainer/constraints.txt'), 'utf8'));
  /** @type {Planned[]} */
  const planned = await step('Checking what pip would install for the trainer', async (detail) => {
    await pip(root, ['install', '--dry-run', '--report', report, ...args], 'pip cannot install what the trainer needs', detail);
    return JSON.parse(readFileSync(report, 'utf8')).install;
  });
  const wrong = wrongTorch(pin, planned, await installedTorch(root));
  if (wrong !== null) {
    throw new SetupError(
      `pip would take ${wrong}, and Lowrank is made for torch ${pin}.`,
      `Make torch ${pin} available to pip (look at its settings: pip config list), then run the command again.`,
    );
  }
  if (planned.length > 0) {
    checkDisk(root, bringsCuda(planned) ? 12 : 2, 'The trainer');
    await step(`Installing the trainer's packages (torch ${pin})`, (detail) =>
      pip(root, ['install', ...args], 'pip did not finish', detail),
    );
  }
  await step("Checking the trainer's packages", async (detail) => {
    await pip(root, ['check'], 'The trainer’s packages do not fit together', detail);
    const left = wrongTorch(pin, [], await installedTorch(root));
    if (left !== null)
      throw new SetupError(`The trainer has ${left}, not torch ${pin}.`, `Remove ${VENV} and run the command again.`);
  });
}

/** @param {string} root @param {import('./platform.mjs').Python} python */
async function makeEnvironment(root, python) {
  rmSync(join(root, VENV), { recursive: true, force: true });
  mkdirSync(join(root, VENV));
  // Removed when all is installed: an environment that still has it was left half-way and is made anew.
  writeFileSync(join(root, VENV, MARKER), '');
  await step(`Making the trainer's virtual environment (Python ${python.version})`, () =>
    runProgram(python.executable, ['-m', 'venv', join(root, VENV)], {
      cwd: root,
      env: plainEnvironment(process.env),
      what: 'The virtual environment could not be made',
      cure: isDebian()
        ? 'Install python3-venv (apt-get install python3-venv), then run the command again.'
        : `Install a complete Python ${PYTHON_TESTED}.`,
    }),
  );
}

/**
 * What is there and what is wanted.
 * @param {string} root @param {boolean} dev
 */
function look(root, dev) {
  const stamp = readStamp(root, STEP);
  const runtime = hashOf(root, RUNTIME);
  const dev_hash = hashOf(root, DEV);
  const base = standsOn(root);
  const whole = base !== null && !existsSync(join(root, VENV, MARKER)) && (stamp === null || stamp.base === base);
  const done = whole && stamp !== null && stamp.runtime === runtime && (!dev || stamp.dev === dev_hash);
  return { whole, done, runtime, dev: dev_hash, keeps_dev: dev || stamp?.dev === dev_hash };
}

/**
 * Throws when the trainer's environment has to be made and no Python here can make it: asked first, before minutes of downloads.
 * @param {string} root @param {{ dev: boolean }} wanted
 */
export function checkTrainer(root, { dev }) {
  if (!look(root, dev).whole) choosePython(findPythons(plainEnvironment(process.env)), isDebian());
}

/**
 * Makes or completes the trainer's environment unless it is there already.
 * @param {string} root @param {{ dev: boolean }} wanted whether the tests' own packages are needed, too
 */
export async function ensureTrainer(root, { dev }) {
  const { whole, done, ...hashes } = look(root, dev);
  if (done) return;
  dropStamp(root, STEP);
  if (whole) writeFileSync(join(root, VENV, MARKER), '');
  else await makeEnvironment(root, choosePython(findPythons(plainEnvironment(process.env)), isDebian()));
  await install(root, dev ? ['trainer/requirements.txt', 'trainer/requirements-dev.txt'] : ['trainer/requirements.txt']);
  rmSync(join(root, VENV, MARKER));
  writeStamp(root, STEP, {
    base: standsOn(root) ?? '',
    runtime: hashes.runtime,
    ...(hashes.keeps_dev ? { dev: hashes.dev } : {}),
  });
}
