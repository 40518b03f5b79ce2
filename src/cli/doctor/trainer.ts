// The trainer: its virtual environment, package by package, and its programs.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { env } from '#/env.ts';
import { askProgram } from './ask-program.ts';
import type { Check } from './check.ts';
import { type Finding, ok, problem, shellWord } from './finding.ts';

/** What the trainer's Python says of itself. */
export interface TrainerFacts {
  python: string;
  /** By package of requirements.txt; null where it is not installed. */
  versions: Record<string, string | null>;
  /** The error of each package that cannot be imported. */
  broken: Record<string, string>;
  /** The CUDA that torch was built for, and if it can use a GPU now; null where torch does not load. */
  cuda: { built_for: string | null; usable: boolean } | null;
}

/** Where the environment is and how whole it is before it is asked. */
export interface TrainerEnvironment {
  python: string;
  /** Ours, below trainer/.venv, not one that LOWRANK_PYTHON names. */
  ours: boolean;
  exists: boolean;
  /** Set-up was stopped half-way. */
  unfinished: boolean;
}

/** The `name==version` lines of a requirements file. */
export function readPins(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^([A-Za-z0-9._-]+)==([^\s;#]+)/gm)].map((match) => [match[1] ?? '', match[2] ?? '']));
}

const MAKE_ANEW = 'rm -rf trainer/.venv && npm run setup';

function cureOf(environment: TrainerEnvironment): string {
  if (environment.ours) return `Make it anew: ${MAKE_ANEW}`;
  return `Bring it in line: ${shellWord(environment.python)} -m pip install -r trainer/requirements.txt -c trainer/constraints.txt`;
}

/** The environment before anything is run in it; null when it can be asked. */
export function judgeEnvironment(environment: TrainerEnvironment): Finding | null {
  const { python, ours, exists, unfinished } = environment;
  if (!exists && ours)
    return problem('trainer', 'its virtual environment trainer/.venv has not been made', 'Make it: npm run setup');
  if (!exists)
    return problem(
      'trainer',
      `LOWRANK_PYTHON names ${python}, which is not there`,
      'Name a Python that is, or unset LOWRANK_PYTHON to use ours',
    );
  if (unfinished) return problem('trainer', 'its virtual environment was left half made', 'Finish it: npm run setup');
  return null;
}

/** What the environment holds against what requirements.txt pins. A build tag (+cpu, +cu130) does not count. */
export function judgePackages(facts: TrainerFacts | null, pins: Map<string, string>, environment: TrainerEnvironment): Finding {
  const cure = cureOf(environment);
  if (facts === null) return problem('trainer', `${environment.python} does not answer`, cure);
  const [major = 0, minor = 0] = facts.python.split('.').map(Number);
  if (major < 3 || (major === 3 && minor < 11))
    return problem('trainer', `Python ${facts.python} is too old; the trainer needs 3.11 or newer`, cure);
  const wrong = [...pins].flatMap(([name, pin]) => {
    const version = facts.versions[name] ?? null;
    if (version === null) return [`${name} is missing`];
    return version.split('+')[0] === pin ? [] : [`${name} is ${version}, not ${pin}`];
  });
  if (wrong.length > 0) {
    const more = wrong.length > 3 ? ` and ${wrong.length - 3} more` : '';
    return problem('trainer', `${wrong.slice(0, 3).join(', ')}${more}`, cure);
  }
  const broken = Object.entries(facts.broken);
  if (broken.length > 0)
    return problem('trainer', broken.map(([name, error]) => `${name} does not load: ${error}`).join('\n'), cure);
  const told = ['torch', 'transformers', 'peft'].map((name) => `${name} ${facts.versions[name] ?? '?'}`).join(', ');
  return ok('trainer', `Python ${facts.python}, ${told}`);
}

/** The trainer's own programs: each answered `--help` or said why not. */
export function judgePrograms(programs: { name: string; code: number | null; stderr: string }[]): Finding {
  const silent = programs.filter(({ code }) => code !== 0);
  if (silent.length === 0) return ok('programs', `${programs.map(({ name }) => name).join(' and ')} answer`);
  const found = silent.map(
    ({ name, code, stderr }) =>
      `${name} fails (${code === null ? 'no answer in time' : `exit code ${code}`})${stderr === '' ? '' : `: ${stderr}`}`,
  );
  return problem('programs', found.join('\n'), 'Restore the trainer as it was committed: git checkout -- trainer');
}

const FACTS = `
import importlib, importlib.metadata as metadata, json, sys
versions = {}
for name in sys.argv[1:]:
    try:
        versions[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        versions[name] = None
broken = {}
for name in ('torch', 'transformers', 'peft', 'safetensors', 'tokenizers'):
    try:
        importlib.import_module(name)
    except Exception as error:
        broken[name] = f'{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ""}'
cuda = None
if 'torch' not in broken:
    import torch
    cuda = {'built_for': torch.version.cuda, 'usable': torch.cuda.is_available()}
print(json.dumps({'python': '%d.%d.%d' % sys.version_info[:3], 'versions': versions, 'broken': broken, 'cuda': cuda}))
`;

/** Loading torch from a cold disk takes a while. */
const LOAD_MS = 120_000;
const ANSWER_MS = 30_000;

export function findEnvironment(): TrainerEnvironment {
  const folder = dirname(dirname(env.python));
  const ours = env.LOWRANK_PYTHON === undefined;
  return { python: env.python, ours, exists: existsSync(env.python), unfinished: ours && existsSync(join(folder, 'unfinished')) };
}

/** Asks the trainer's Python; null when it does not answer. Loads torch: seconds. */
export async function readTrainerFacts(pins: Map<string, string>): Promise<TrainerFacts | null> {
  const answer = await askProgram(env.python, ['-I', '-B', '-c', FACTS, ...pins.keys()], LOAD_MS);
  const line = answer.stdout.trim().split('\n').at(-1) ?? '';
  return answer.code === 0 ? (JSON.parse(line) as TrainerFacts) : null;
}

/** The trainer's facts, asked once for all checks that need them. */
export function trainerCheck(facts: () => Promise<TrainerFacts | null>): Check {
  return {
    topic: 'trainer',
    within_ms: LOAD_MS + 5_000,
    look: async () => {
      const environment = findEnvironment();
      const unfit = judgeEnvironment(environment);
      return [unfit ?? judgePackages(await facts(), await trainerPins(), environment)];
    },
  };
}

export async function trainerPins(): Promise<Map<string, string>> {
  return readPins(await readFile(join(env.repo, 'trainer/requirements.txt'), 'utf8'));
}

export const programsCheck: Check = {
  topic: 'programs',
  within_ms: 2 * ANSWER_MS + 5_000,
  look: async () => {
    if (judgeEnvironment(findEnvironment()) !== null) return [];
    const options = { cwd: join(env.repo, 'trainer'), variables: { PYTHONPATH: join(env.repo, 'trainer'), HF_HUB_OFFLINE: '1' } };
    const ask = async (name: string, args: string[]) => ({
      name,
      ...(await askProgram(env.python, ['-B', ...args, '--help'], ANSWER_MS, options)),
    });
    return [judgePrograms([await ask('inspect', ['-m', 'lora_trainer.inspect']), await ask('train_lora.py', ['train_lora.py'])])];
  },
};
