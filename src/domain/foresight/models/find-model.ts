/** The built-in catalogue of open models, by whatever name people call them. */
import type { CatalogueModel } from './catalogue/catalogue-model.ts';
import { COMPANY_MODELS } from './catalogue/company-models.ts';
import { EARLY_MODELS } from './catalogue/early-models.ts';
import { LLAMA_MODELS } from './catalogue/llama-models.ts';
import { QWEN_MODELS } from './catalogue/qwen-models.ts';
import { RESEARCH_MODELS } from './catalogue/research-models.ts';

export const CATALOGUE: readonly CatalogueModel[] = [
  ...LLAMA_MODELS,
  ...QWEN_MODELS,
  ...COMPANY_MODELS,
  ...EARLY_MODELS,
  ...RESEARCH_MODELS,
];

/** Endings of a name that change what a model learned, never its shape. */
const VARIANTS = /-(?:hf|instruct|chat|it|base|pt|sft|dpo|rlhf|deduped|preview|thinking|bf-16|fp-16|bnb|4bit|unsloth)$/;
const NEAREST = 5;
const NAME_MAX = 200;

/** Case, owner and the signs between words and numbers do not tell names apart: llama3.1-8b is Llama-3.1-8B. */
function keyOf(name: string): string {
  const bare = name.trim().toLowerCase().split('/').at(-1) ?? '';
  return bare.replaceAll(/(?<=[a-z])(?=\d)/g, '-').replaceAll(/[\s_.-]+/g, '-');
}

/** Without the endings that leave the shape alone, wherever several follow one another. */
function stemOf(key: string): string {
  const stem = key.replace(VARIANTS, '');
  return stem === key ? key : stemOf(stem);
}

const byKey = new Map(CATALOGUE.flatMap((model) => [model.name, ...(model.aliases ?? [])].map((name) => [keyOf(name), model])));
const byStem = new Map([...byKey].map(([key, model]) => [stemOf(key), model]));

export type FoundModel = { ok: true; model: CatalogueModel } | { ok: false; reason: string; nearest: string[] };

/** Finds a model by its Hub id, with or without owner, in any case; `nearest`: names of the catalogue that look most like an unknown one. */
export function findModel(name: string): FoundModel {
  const key = keyOf(name.slice(0, NAME_MAX));
  const model = byKey.get(key) ?? byStem.get(stemOf(key));
  if (model !== undefined) return { ok: true, model };
  const nearest = nearestNames(stemOf(key));
  const reason = `the catalogue has no model ${name.slice(0, NAME_MAX)}; nearest are ${nearest.join(', ')}; a config.json can be given instead`;
  return { ok: false, reason, nearest };
}

function nearestNames(stem: string): string[] {
  const wanted = pairsOf(stem);
  return CATALOGUE.map(({ name }) => ({ name, likeness: likeness(wanted, pairsOf(stemOf(keyOf(name)))) }))
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, NEAREST)
    .map(({ name }) => name);
}

function pairsOf(text: string): Set<string> {
  return new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, at) => text.slice(at, at + 2)));
}

/** Dice's coefficient over pairs of letters. */
function likeness(a: Set<string>, b: Set<string>): number {
  const shared = [...a].filter((pair) => b.has(pair)).length;
  return (2 * shared) / Math.max(1, a.size + b.size);
}
