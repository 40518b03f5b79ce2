// `npm run lockfile`, after every `npm install` of a new version: adds the other platforms' packages that the registry did not carry.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entryOf, leftOut } from './setup/lockfile.mjs';

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
const lockfile = JSON.parse(readFileSync(path, 'utf8'));
const missing = leftOut(lockfile.packages);
for (const left of missing) lockfile.packages[left.path] = entryOf(left);
lockfile.packages = Object.fromEntries(Object.entries(lockfile.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(`${path}.new`, `${JSON.stringify(lockfile, null, 2)}\n`);
renameSync(`${path}.new`, path);
console.log(`package-lock.json: ${missing.length} packages of other platforms added`);
