// Everything that can be said about the code without running it: Biome, TypeScript, knip and ruff, side by side.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const python = join(root, 'trainer/.venv/bin/python');

/** @type {[name: string, program: string, args: string[]][]} */
const CHECKS = [
  ['Biome', join(root, 'node_modules/.bin/biome'), ['check', '--error-on-warnings', '.']],
  ['TypeScript', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit']],
  ['knip', process.execPath, [join(root, 'node_modules/knip/bin/knip.js')]],
  ['ruff', python, ['-m', 'ruff', 'check', 'trainer', 'demo', 'src', 'test', 'bench']],
  ['ruff format', python, ['-m', 'ruff', 'format', '--check', 'trainer', 'demo', 'src', 'test', 'bench']],
];

/** @param {string} program @param {string[]} args @returns {Promise<{ code: number | null, text: string }>} */
function run(program, args) {
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    child.on('error', (error) => done({ code: null, text: error.message }));
    child.on('close', (code) => done({ code, text }));
  });
}

const missing = CHECKS.find(([, program]) => !existsSync(program));
if (missing !== undefined || Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `lowrank: ${missing === undefined ? `this is Node ${process.versions.node}, not 24` : `${missing[0]} is not installed`}`,
  );
  console.error('lowrank: run `npm run setup` once, then `npm run check`.');
  process.exitCode = 1;
} else {
  const results = await Promise.all(CHECKS.map(async ([name, program, args]) => ({ name, ...(await run(program, args)) })));
  for (const { name, code, text } of results) {
    if (code !== 0) console.log(text.trimEnd());
    console.log(`${code === 0 ? '✓' : '✗'} ${name}`);
  }
  process.exitCode = Number(results.some(({ code }) => code !== 0));
}
