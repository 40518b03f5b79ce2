// npm leaves an optional package out of the lockfile when the registry at hand does not carry it (another platform's build, say), and
// `npm ci` then refuses that lockfile everywhere. What is left out is known from its parent: name, exact version, and, by its name, platform.

/** @typedef {{ version?: string, optional?: boolean, dev?: boolean, devOptional?: boolean, os?: string[], cpu?: string[], libc?: string[], optionalDependencies?: Record<string, string> }} Locked */
/** @typedef {{ path: string, name: string, range: string, parent: Locked }} LeftOut */

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/**
 * Where npm would look for `name` from the package at `path`, outermost folder last.
 * @param {string} path @param {string} name
 */
function* places(path, name) {
  for (let folder = path; ; ) {
    yield `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (folder === '') return;
    const cut = folder.lastIndexOf('node_modules/');
    folder = cut <= 0 ? '' : folder.slice(0, cut - 1);
  }
}

/**
 * The optional packages that the lockfile's packages name and the lockfile does not have.
 * @param {Record<string, Locked>} packages
 * @returns {LeftOut[]}
 */
export function leftOut(packages) {
  /** @type {Map<string, LeftOut>} */
  const found = new Map();
  for (const [path, parent] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
      if ([...places(path, name)].some((place) => packages[place] !== undefined)) continue;
      // Beside its siblings: in the folder that holds the parent.
      const cut = path.lastIndexOf('node_modules/');
      const place = `${path === '' ? '' : path.slice(0, cut)}node_modules/${name}`;
      found.set(place, { path: place, name, range, parent });
    }
  }
  return [...found.values()];
}

/**
 * The lockfile entry of one such package: enough for npm to know that it is not for this machine.
 * @param {LeftOut} left
 * @returns {Locked}
 */
export function entryOf({ name, range, parent }) {
  const words = name.split('/').pop()?.split('-') ?? [];
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  const musl = words.some((word) => word.startsWith('musl'));
  if (!/^\d+\.\d+\.\d+/.test(range) || (os === undefined && cpu === undefined)) {
    throw new Error(
      `${name}@${range} is missing from package-lock.json, and its name does not say for which platform it is: add it by hand`,
    );
  }
  return {
    version: range,
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(parent.dev ? { dev: true } : {}),
    ...(os === 'linux' && cpu !== 'arm' ? { libc: [musl ? 'musl' : 'glibc'] } : {}),
    optional: true,
    ...(os ? { os: [os] } : {}),
  };
}
