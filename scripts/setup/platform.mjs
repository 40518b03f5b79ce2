// What a machine must have before anything is installed. Pure rules over facts, and the reading of the facts.
import { execFileSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { SetupError } from './setup-error.mjs';

export const PYTHON_TESTED = '3.11';

/** @typedef {{ platform: string, arch: string, node: string, glibc: string | null }} Machine */

/** @returns {Machine} */
export function readMachine() {
  let glibc = null;
  if (process.platform === 'linux') {
    try {
      glibc =
        /\d+\.\d+/.exec(
          execFileSync('getconf', ['GNU_LIBC_VERSION'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
        )?.[0] ?? null;
    } catch {
      // musl has no such name: no glibc.
      glibc = null;
    }
  }
  return { platform: process.platform, arch: process.arch, node: process.versions.node, glibc };
}

/** @param {string} version @param {number} major @param {number} minor */
function atLeast(version, major, minor) {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

/**
 * Throws when Lowrank cannot run on `machine`.
 * @param {Machine} machine
 */
export function checkMachine(machine) {
  const { platform, arch, node, glibc } = machine;
  const supported = 'Lowrank runs on Linux with glibc 2.28 or newer (x64, arm64) and on macOS with Node 24.';
  if (platform === 'darwin') {
    if (atLeast(node, 24, 0)) return;
    throw new SetupError(
      `Node ${node} is too old for macOS, where Lowrank brings no Node of its own.`,
      'Install Node 24 (for example: brew install node@24).',
    );
  }
  if (platform !== 'linux') throw new SetupError(`${platform} is not supported.`, `${supported} On Windows, use WSL 2.`);
  if (arch !== 'x64' && arch !== 'arm64') throw new SetupError(`The processor type ${arch} is not supported.`, supported);
  if (glibc === null || !atLeast(glibc, 2, 28)) {
    throw new SetupError(
      glibc === null ? 'This Linux has no glibc (Alpine, for example).' : `glibc ${glibc} is too old.`,
      `${supported} Debian 12 and Ubuntu 22.04 will do.`,
    );
  }
  if (!atLeast(node, 20, 0))
    throw new SetupError(`Node ${node} is too old.`, 'Install Node 20 or newer; Lowrank brings Node 24 for itself.');
}

/**
 * Throws when less than `gb` gigabytes are free for us where `folder` lies.
 * @param {string} folder @param {number} gb @param {string} what
 */
export function checkDisk(folder, gb, what) {
  const { bavail, bsize } = statfsSync(folder);
  const free = (bavail * bsize) / 1e9;
  if (free >= gb) return;
  throw new SetupError(
    `${what} needs ${gb} GB, and ${folder} has ${free.toFixed(1)} GB free.`,
    'Free some space, or move this folder to a larger disk.',
  );
}

const PYTHON_FACTS = `
import json, sys
missing = []
for name in ('venv', 'ensurepip', 'ctypes', 'ssl'):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
print(json.dumps({'version': '%d.%d.%d' % sys.version_info[:3], 'missing': missing, 'executable': sys.executable}))
`;

/** @typedef {{ version: string, missing: string[], executable: string }} Python */

/**
 * The facts of every Python on PATH that could do, `PYTHON` first when it is set.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Python[]}
 */
export function findPythons(env) {
  const names = env.PYTHON ? [env.PYTHON] : ['python3', 'python3.11', 'python3.12', 'python3.13'];
  return names.flatMap((name) => {
    try {
      return [
        JSON.parse(execFileSync(name, ['-c', PYTHON_FACTS], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })),
      ];
    } catch {
      // Not on this machine, or a launcher for a version that is not installed.
      return [];
    }
  });
}

/**
 * The first Python that can make the trainer's environment. Throws with the cure for the nearest miss.
 * @param {Python[]} pythons @param {boolean} debian
 */
export function choosePython(pythons, debian) {
  const fit = pythons.find((python) => atLeast(python.version, 3, 11) && python.missing.length === 0);
  if (fit) return fit;
  const nearest = pythons.find((python) => atLeast(python.version, 3, 11));
  if (nearest) {
    const minor = nearest.version.split('.').slice(0, 2).join('.');
    throw new SetupError(
      `Python ${nearest.version} (${nearest.executable}) lacks ${nearest.missing.join(' and ')}.`,
      debian
        ? `Install it: apt-get install python3-venv (or python${minor}-venv).`
        : `Install a complete Python ${PYTHON_TESTED}.`,
    );
  }
  const found = pythons[0] ? `Python ${pythons[0].version} is too old` : 'There is no python3';
  throw new SetupError(
    `${found}; the trainer needs Python 3.11 or newer (tested: ${PYTHON_TESTED}).`,
    debian ? 'Install it: apt-get install python3 python3-venv.' : `Install Python ${PYTHON_TESTED}.`,
  );
}

export function isDebian() {
  return existsSync('/etc/debian_version');
}
