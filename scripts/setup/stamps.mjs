// What was set up, remembered by content: `.setup/<step>.json` is written when a step is complete, and never before.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * One hash over files and folders (names and contents); a path that is missing counts as missing.
 * @param {string} root
 * @param {string[]} paths relative to root
 */
export function hashOf(root, paths) {
  const hash = createHash('sha256');
  for (const path of paths) addTo(hash, root, path);
  return hash.digest('hex');
}

/** @param {import('node:crypto').Hash} hash @param {string} root @param {string} path */
function addTo(hash, root, path) {
  const full = join(root, path);
  if (!existsSync(full)) {
    hash.update(`${path}\0missing\0`);
    return;
  }
  if (statSync(full).isDirectory()) {
    for (const name of readdirSync(full).sort()) addTo(hash, root, `${path}/${name}`);
    return;
  }
  const bytes = readFileSync(full);
  hash.update(`${path}\0${bytes.length}\0`).update(bytes);
}

/**
 * What the step left behind when it was complete, or null.
 * @param {string} root
 * @param {string} step
 * @returns {Record<string, string> | null}
 */
export function readStamp(root, step) {
  try {
    return JSON.parse(readFileSync(join(root, '.setup', `${step}.json`), 'utf8'));
  } catch {
    // Missing and torn are the same to us: the step is done again.
    return null;
  }
}

/** @param {string} root @param {string} step @param {Record<string, string>} stamp */
export function writeStamp(root, step, stamp) {
  const path = join(root, '.setup', `${step}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(stamp));
  renameSync(`${path}.new`, path);
}

/** @param {string} root @param {string} step */
export function dropStamp(root, step) {
  rmSync(join(root, '.setup', `${step}.json`), { force: true });
}
