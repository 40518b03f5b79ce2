// The machine: platform, Node, and a Python that the trainer's environment could be made with.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { env } from '#/env.ts';
import {
  checkMachine,
  choosePython,
  isDebian,
  type Machine,
  type Python,
  readMachine,
} from '../../../scripts/setup/platform.mjs';
import { askProgram } from './ask-program.ts';
import type { Check } from './check.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

const NODE_MAJOR = 24;

/** Set-up's own rules, told as a finding. */
function judged(topic: string, rule: () => string, worst: 'problem' | 'warning' = 'problem'): Finding {
  try {
    return ok(topic, rule());
  } catch (error) {
    if (!(error instanceof Error && 'cure' in error)) throw error;
    return { topic, level: worst, found: error.message, cure: String(error.cure) };
  }
}

export function judgePlatform(machine: Machine): Finding {
  const { platform, arch, glibc } = machine;
  const finding = judged('platform', () => {
    checkMachine(machine);
    return platform === 'linux' ? `Linux ${arch}, glibc ${glibc}` : `macOS ${arch}`;
  });
  if (finding.level !== 'ok' || platform === 'linux') return finding;
  return warning(
    'platform',
    `macOS ${arch}: pages, API and command line run here, but trainings are kept by what only Linux has`,
    'Run the studio on Linux (a virtual machine will do) and reach it from here: npm run lowrank -- login --url http://…',
  );
}

export function judgeNode(version: string): Finding {
  if (Number(version.split('.')[0]) >= NODE_MAJOR) return ok('node', version);
  return problem(
    'node',
    `${version} is too old; Lowrank runs on Node ${NODE_MAJOR}`,
    'Start it by npm, which brings Node 24: npm run lowrank -- doctor',
  );
}

/** A Python is needed once, to make the trainer's environment: without one, an environment that stands goes on working. */
export function judgePythons(pythons: Python[], debian: boolean, environment_stands: boolean): Finding {
  return judged(
    'python',
    () => {
      const { version, executable } = choosePython(pythons, debian);
      return `${version} with venv (${executable})`;
    },
    environment_stands ? 'warning' : 'problem',
  );
}

export const platformCheck: Check = { topic: 'platform', within_ms: 5_000, look: async () => [judgePlatform(readMachine())] };

export const nodeCheck: Check = { topic: 'node', within_ms: 1_000, look: async () => [judgeNode(process.versions.node)] };

export const pythonCheck: Check = {
  topic: 'python',
  within_ms: 25_000,
  look: async () => {
    // In a process of its own, which can be ended: a Python on a dead network drive would hold us up.
    const module = pathToFileURL(join(env.repo, 'scripts/setup/platform.mjs')).href;
    const program = `const { findPythons } = await import(${JSON.stringify(module)}); console.log(JSON.stringify(findPythons(process.env)))`;
    const answer = await askProgram(process.execPath, ['--input-type=module', '-e', program], 20_000);
    const pythons = answer.code === 0 ? (JSON.parse(answer.stdout) as Python[]) : [];
    return [judgePythons(pythons, isDebian(), existsSync(env.python))];
  },
};
