import { describe, expect, it } from 'vitest';
import { MeasuredRow, readRows, rowFiles } from './measured-row.ts';
import { SPLIT_RULES, SPLITS, splitOf } from './split.ts';

const all = rowFiles().flatMap(readRows);
const text = all.flatMap((row) => ('model_kind' in row ? [] : [row]));

describe('the measured rows', () => {
  it('are there, by one schema, from more than ten files', () => {
    expect(rowFiles().length).toBeGreaterThan(10);
    expect(all.length).toBeGreaterThan(250);
  });

  it('have an id of their own each', () => {
    const ids = all.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  it('are refused without a source that can be looked up, and without anything measured', () => {
    const [row] = all;
    if (row === undefined) throw new Error('there is no row');
    expect(MeasuredRow.safeParse(row).success).toBe(true);
    expect(MeasuredRow.safeParse({ ...row, source: { note: 'somebody said so' } }).success).toBe(false);
    expect(MeasuredRow.safeParse({ ...row, source: { repository: 'a/b', note: 'no commit' } }).success).toBe(false);
    expect(MeasuredRow.safeParse({ ...row, measured: {} }).success).toBe(false);
    expect(MeasuredRow.safeParse({ ...row, measured: { memory_gb: 1 } }).success).toBe(false);
  });

  it('name only fields of a request as unsure', () => {
    const fields = new Set(
      text.flatMap(({ request }) => [...Object.keys(request), ...Object.keys(request.lora ?? {}).map((name) => `lora.${name}`)]),
    );
    expect(text.flatMap(({ unsure }) => unsure).filter((name) => !fields.has(name))).toEqual([]);
  });

  it('have an adapter exactly where one is trained', () => {
    expect(
      text.filter(({ request }) => (request.lora === undefined) !== (request.method === 'full')).map(({ id }) => id),
    ).toEqual([]);
  });

  it('tell no more tokens a second than a step holds', () => {
    const wrong = text.filter(({ request, measured: { seconds_per_step, tokens_per_second } }) => {
      if (seconds_per_step === undefined || tokens_per_second === undefined) return false;
      const held = request.seq_len * request.micro_batch * request.grad_accum * request.gpus;
      return Math.abs(tokens_per_second * seconds_per_step - held) > 0.02 * held;
    });
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });
});

describe('the split', () => {
  it('puts every row on one side, and rows on both', () => {
    for (const split of SPLITS) expect(all.filter(({ id }) => splitOf(id) === split).length).toBeGreaterThan(50);
  });

  it('has no rule without rows', () => {
    const ids = all.map(({ id }) => id);
    expect(SPLIT_RULES.filter(({ prefix }) => !ids.some((id) => id.startsWith(prefix))).map(({ prefix }) => prefix)).toEqual([]);
  });

  it('refuses a row of a source that nobody has decided on', () => {
    expect(() => splitOf('somebody-else-7b')).toThrow('no rule');
  });
});
