import { parseArgs } from 'node:util';
import { accelerateRule, unslothRule } from './baselines.ts';
import { foretoldImage } from './image-predictions.ts';
import { type ImageRow, readRows, rowFiles, type TextRow } from './measured-row.ts';
import { asAsked, type Predictor, withHabits } from './predictions.ts';
import { type Judged, judgeMemory, judgeTime, SCORE_HEAD, scoreLine } from './scores.ts';
import { SPLITS, type Split, splitOf } from './split.ts';

type Judge = typeof judgeMemory;

interface SourcedRow extends TextRow {
  file: string;
}

function readAll(): { text: SourcedRow[]; images: ImageRow[] } {
  const text: SourcedRow[] = [];
  const images: ImageRow[] = [];
  for (const file of rowFiles())
    for (const row of readRows(file)) {
      if ('model_kind' in row) images.push(row);
      else text.push({ ...row, file: file.replace('.jsonl', '') });
    }
  return { text, images };
}

function judgedBy(predict: Predictor, judge: Judge, rows: readonly SourcedRow[]): (Judged & { row: SourcedRow })[] {
  return rows.flatMap((row) => {
    const said = predict(row);
    const judged = said === null ? null : judge(row, said);
    return judged === null ? [] : [{ ...judged, row }];
  });
}

function grouped<Item>(items: readonly Item[], key: (item: Item) => string): [string, Item[]][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function printSplit(split: Split, what: string, judged: ReturnType<typeof judgedBy>): void {
  console.log(`\n#### ${what}, ${split}\n\n${SCORE_HEAD}`);
  console.log(scoreLine('all', judged));
  const sound = judged.filter(({ row }) => row.odd === undefined);
  if (sound.length < judged.length) {
    const odd = judged.filter(({ row }) => row.odd !== undefined);
    console.log(scoreLine('odd, in no line below', odd));
  }
  const sure = sound.filter(({ row }) => row.unsure.length === 0);
  console.log(scoreLine('nothing odd', sound));
  console.log(scoreLine('nothing odd or unsure', sure));
  for (const [method, some] of grouped(sound, ({ row }) => row.request.method)) console.log(scoreLine(method, some));
  for (const [file, some] of grouped(sound, ({ row }) => row.file)) console.log(scoreLine(file, some));
}

function printRows(title: string, judged: readonly Judged[]): void {
  console.log(
    `\n#### ${title}, row by row\n\n| row | measured | foretold | error | interval | counted as |\n| --- | --- | --- | --- | --- | --- |`,
  );
  const worst_first = [...judged].sort((a, b) => Math.abs(b.error) - Math.abs(a.error));
  for (const { row, measured, foretold, error, covered, parts } of worst_first) {
    const unsure = `${row.odd === undefined ? '' : ' (odd)'}${row.unsure.length > 0 ? ` (unsure: ${row.unsure.join(', ')})` : ''}`;
    const inside = covered === null ? '' : covered ? 'in' : 'out';
    console.log(
      `| ${row.id}${unsure} | ${measured} | ${foretold.toPrecision(4)} | ${(100 * error).toFixed(1)} % | ${inside} | ${row.measured.memory_kind ?? ''} ${parts} |`,
    );
  }
}

const RULES: readonly [string, Predictor][] = [
  ['accelerate estimate-memory', accelerateRule],
  ['Unsloth Studio', unslothRule],
];

/** Each rule on the rows that it says something of, and the planner on the same. */
function printRules(split: Split, rows: readonly SourcedRow[]): void {
  console.log(`\n#### Memory by published rules, and by the planner on the same rows, ${split}\n\n${SCORE_HEAD}`);
  const sound = rows.filter(({ odd }) => odd === undefined);
  for (const [name, rule] of RULES)
    for (const [method, some] of grouped(judgedBy(rule, judgeMemory, sound), ({ row }) => row.request.method)) {
      console.log(scoreLine(`${name}, ${method}`, some));
      const same = some.map(({ row }) => row);
      console.log(scoreLine(`planner, as asked, ${method}`, judgedBy(asAsked, judgeMemory, same)));
    }
}

/** Their tables are made of these very rows: how well the lines go through them, and no score. */
function printImages(images: readonly ImageRow[]): void {
  const said = images.flatMap((row) => {
    const foretold = foretoldImage(row);
    return foretold === null ? [] : [{ row, foretold }];
  });
  console.log(`\n#### Image models: ${said.length} of ${images.length} rows, all tuned to\n\n${SCORE_HEAD}`);
  for (const [what, judge] of [
    ['memory', judgeMemory],
    ['seconds a step', judgeTime],
  ] as const)
    console.log(
      scoreLine(
        what,
        said.flatMap(({ row, foretold }) => judge(row, foretold) ?? []),
      ),
    );
}

/** Which rows `--rows` may show one by one: those held out only where that is said twice. */
function shownSplit(flags: string[]): Split | null {
  const { values } = parseArgs({ args: flags, options: { rows: { type: 'string' }, 'reveal-held-out': { type: 'boolean' } } });
  if (values.rows === undefined) return null;
  const split = SPLITS.find((one) => one === values.rows);
  if (split === undefined) throw new Error(`--rows takes one of ${SPLITS.join(', ')}`);
  if (split === 'held-out' && values['reveal-held-out'] !== true)
    throw new Error('Who has seen the held-out rows one by one can fit to them: --reveal-held-out says that you know.');
  return split;
}

/** The planner against what was measured and published, by split, method and source; two published rules on the same rows. */
export async function benchForesight(flags: string[] = []): Promise<void> {
  const shown = shownSplit(flags);
  const { text: rows, images } = readAll();
  const refused = rows.filter((row) => asAsked(row) === null);
  console.log(`\n### Foresight: ${rows.length} measured rows, absolute relative errors`);
  if (refused.length > 0) console.log(`\nRefused by the planner: ${refused.map(({ id }) => id).join(', ')}.`);
  for (const split of SPLITS) {
    const some = rows.filter(({ id }) => splitOf(id) === split);
    const memory = judgedBy(asAsked, judgeMemory, some);
    const time = judgedBy(asAsked, judgeTime, some);
    printSplit(split, 'Memory, as asked', memory);
    printSplit(split, 'Memory, told the habits of the library that ran', judgedBy(withHabits, judgeMemory, some));
    printSplit(split, 'Seconds a step', time);
    printRules(split, some);
    if (split !== shown) continue;
    printRows(`Memory, told the habits, ${split}`, judgedBy(withHabits, judgeMemory, some));
    printRows(`Seconds a step, ${split}`, time);
  }
  printImages(images);
}
