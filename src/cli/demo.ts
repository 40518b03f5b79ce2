import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HYPERPARAMETER_PRESETS } from '#/domain/hyperparameters.ts';
import { env } from '#/env.ts';
import { createSignInLink } from '#/services/people/sign-in-link.ts';
import { answerPrompts } from './answer-prompts.ts';
import { type ApiClient, openLocalClient } from './api-client.ts';
import { chooseModel } from './choose-model.ts';
import { CommandError } from './command-error.ts';
import { runImageDemo } from './demo-images.ts';
import { type DemoCompany, type DemoStage, demoDataset, resultLines } from './demo-walk.ts';
import { runPython } from './run-python.ts';
import { untilAskedToEnd } from './start.ts';
import { startStudio } from './start-studio.ts';
import { finishTraining, submitJob } from './train.ts';

/** What the demo changes in the `fast` preset, because its model has a few million parameters, not a few billion. */
export const DEMO_OVERRIDES = { learning_rate: 5e-3 };

const FOLDER = join(env.repo, 'demo');

interface HeldOut {
  prompt: string;
  completion: string;
}

async function heldOut(): Promise<HeldOut[]> {
  const text = await readFile(join(FOLDER, 'held-out.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as HeldOut);
}

function exactMatch(wanted: HeldOut[], answers: string[]): number {
  const right = wanted.filter((row, at) => answers[at] === row.completion).length;
  return (100 * right) / wanted.length;
}

/** The demo's rows, or the same prompts with targets dealt out at random: nothing can be learned from those. */
async function datasetFile(shuffle_targets: boolean): Promise<string> {
  if (!shuffle_targets) return join(FOLDER, 'orders.jsonl');
  const file = join(env.data_dir, 'orders-shuffled.jsonl');
  await runPython([join(FOLDER, 'write_dataset.py'), '--shuffle-targets', file], FOLDER);
  return file;
}

/** Registers, uploads, trains and compares, as a client of the API, and prints what it does and found. Answers the job. */
export async function runDemo(
  client: ApiClient,
  options: { shuffle_targets: boolean } & DemoCompany,
  say: (line: string) => void,
): Promise<string> {
  const model = await chooseModel(client, join(FOLDER, 'model'), 'lowrank-demo');
  say(`base model  ${model.name}: ${((model.params_b ?? 0) * 1000).toFixed(1)} million parameters`);
  const name = options.shuffle_targets ? 'Demo orders, targets shuffled' : 'Demo orders';
  const dataset = await demoDataset(client, name, () => datasetFile(options.shuffle_targets), say);
  say(
    `dataset     ${dataset.name}: ${dataset.total_training_pairs} rows to train on, ${dataset.total_validation_pairs} held out`,
  );
  const changed = Object.entries(DEMO_OVERRIDES).map(
    ([name, value]) => `${name} ${HYPERPARAMETER_PRESETS.fast[name as keyof typeof DEMO_OVERRIDES]} → ${value}`,
  );
  say(`preset      fast, changed for so small a model: ${changed.join(', ')}`);
  const job = await submitJob(
    client,
    { dataset_id: dataset.id, base_model_id: model.id },
    { preset: 'fast', settings: DEMO_OVERRIDES, name: options.shuffle_targets ? 'Demo, control' : 'Demo' },
  );
  options.onStage('training');
  say(`watch       ${await options.linkTo(job.id)}   (signs you in, once, within 10 minutes)\n`);
  const result = await finishTraining(client, job.id, join(env.repo, 'adapters', job.id));
  options.onStage('trained');
  const wanted = await heldOut();
  const prompts = wanted.map((row) => row.prompt);
  say('\nanswering 100 held-out prompts with the base model and with the tuned one …');
  const base = await answerPrompts(join(FOLDER, 'model'), null, prompts);
  const tuned = await answerPrompts(join(FOLDER, 'model'), result.folder, prompts);
  say(`\nprompt  ${prompts[0]}`);
  say(`base    ${base[0]}`);
  say(`tuned   ${tuned[0]}\n`);
  say(
    `exact match on ${prompts.length} held-out prompts: ${exactMatch(wanted, base)} % before, ${exactMatch(wanted, tuned)} % after`,
  );
  for (const line of resultLines(result)) say(line);
  return job.id;
}

/** What Ctrl-C does, said to who pressed it: what ends, what goes on, and what stays where. */
export function partingWords(stage: DemoStage, data_dir: string): string[] {
  return [
    '\nEnding the studio …',
    ...(stage === 'training' ? ['The training runs on by itself: `npm start` finds it again, and its page has the result.'] : []),
    `Everything that was made stays: the studio's data in ${data_dir}${stage === 'trained' ? ', the adapter in adapters/' : ''}.`,
  ];
}

/** What a command needs in front of it to find this installation from another terminal. */
function inThisFolder(): string {
  return env.inherited.LOWRANK_DATA_DIR === undefined ? '' : `LOWRANK_DATA_DIR=${env.data_dir} `;
}

/** `lowrank demo`: the whole walk, once, for real. The studio stays until Ctrl-C unless told to end. */
export async function demo(options: { exit: boolean; images: boolean; shuffle_targets: boolean }): Promise<void> {
  const say = (line: string) => console.log(line);
  let stage: DemoStage = 'before';
  const ended = untilAskedToEnd().then(() => {
    for (const line of partingWords(stage, env.data_dir)) say(line);
  });
  const studio = await startStudio(say, { make_owner: true });
  const linkTo = async (job_id: string) => `${studio.url}${await createSignInLink(studio.owner_id ?? '', `/jobs/${job_id}`)}`;
  const onStage = (next: DemoStage) => {
    stage = next;
  };
  let is_done = false;
  try {
    const work = (async () => {
      const client = await openLocalClient(studio.url);
      const walk = { ...options, linkTo, onStage };
      const job_id = await (options.images ? runImageDemo(client, walk, say) : runDemo(client, walk, say));
      is_done = true;
      say(`sign in (once, 10 minutes): ${await linkTo(job_id)}`);
      say(`to sign in later, choose a password: ${inThisFolder()}npm run lowrank -- reset-password ${studio.owner_email}`);
      if (!options.exit) say('\nThe studio keeps running; Ctrl-C ends it, and keeps all that was made.');
    })();
    await Promise.race([work, ended]);
    if (!options.exit) await ended;
  } finally {
    await studio.stop();
  }
  // Thrown, for the walk itself would go on asking a studio that is gone.
  if (!is_done) throw new CommandError('The demo was broken off.', 130);
}
