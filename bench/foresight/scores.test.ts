import { describe, expect, it } from 'vitest';
import { accelerateRule, unslothRule } from './baselines.ts';
import { benchForesight } from './foresight.ts';
import { readRows, rowFiles, type TextRow } from './measured-row.ts';
import { asAsked, type Prediction, withHabits } from './predictions.ts';
import { judgeMemory, judgeTime, scoreLine } from './scores.ts';

const rows = rowFiles().flatMap((file) => readRows(file).flatMap((row) => ('model_kind' in row ? [] : [row])));

function rowOf(id: string): TextRow {
  const row = rows.find((one) => one.id === id);
  if (row === undefined) throw new Error(`there is no row ${id}`);
  return row;
}

const said: Prediction = {
  allocated: 10,
  reserved: 12,
  device: 15,
  low: 12,
  high: 18,
  seconds: 2,
  low_seconds: 1,
  high_seconds: 3,
  parts: '',
};

function measuring(measured: TextRow['measured']): TextRow {
  return { ...rowOf('peft-r32-torch2.13-memory'), measured };
}

describe('an error', () => {
  it('is taken by the counter that was read, and its interval goes with it', () => {
    const measured = (memory_kind: 'allocated' | 'reserved' | 'device') =>
      judgeMemory(measuring({ memory_gb: 8, memory_kind, memory_unit_as_published: 'GB' }), said);
    expect(measured('allocated')).toMatchObject({ foretold: 10, error: 0.25, covered: true });
    expect(measured('reserved')).toMatchObject({ foretold: 12, error: 0.5, covered: false });
    expect(measured('device')).toMatchObject({ foretold: 15, error: 0.875, covered: false });
  });

  it('is below 0 where too little was foretold, and none where nothing was measured', () => {
    expect(judgeTime(measuring({ seconds_per_step: 4 }), said)).toMatchObject({ error: -0.5, covered: false });
    expect(judgeMemory(measuring({ seconds_per_step: 4 }), said)).toBeNull();
    expect(judgeTime(measuring({ seconds_per_step: 4 }), { ...said, seconds: null })).toBeNull();
  });
});

describe('a line of scores', () => {
  it('has median, p95 and worst of the sizes, the mean with its sign, and the share inside', () => {
    const errors = [-0.1, 0.2, -0.3].map((error) => ({
      row: rowOf('peft-r32-torch2.13-memory'),
      measured: 1,
      foretold: 1 + error,
      error,
      covered: error > -0.2,
      parts: '',
    }));
    expect(scoreLine('some', errors)).toBe('| some | 3 | 20.0 % | 30.0 % | 30.0 % | −6.7 % | 66.7 % |');
    expect(scoreLine('none', [])).toBe('| none | 0 | | | | | |');
  });
});

describe('the rules of others', () => {
  it('count four fp32 copies, or two in mixed precision, as accelerate does', () => {
    // Llama 3.2 3B: 3,212,749,824 parameters; 8 bytes each
    expect(accelerateRule(rowOf('peft-full-torch2.13-memory'))?.device).toBeCloseTo(25.702, 2);
  });

  it('count as Unsloth Studio writes it', () => {
    // 6.4255 weights, 9,175,040 trained × (2 + 6), gradients floored by activations: 28 × 3072 × (3072 + 2048 + 2 + 16384) × 2.5 = 4.6244
    // capped at 15 % of the weights = 0.9638, and 1.4 GiB
    expect(unslothRule(rowOf('peft-r32-torch2.13-memory'))?.device).toBeCloseTo(6.4255 + 0.0734 + 4.6244 + 0.9638 + 1.5032, 2);
  });

  it('say nothing of several devices', () => {
    expect(accelerateRule(rowOf('fsdp-rtx-4090-llama2-7b-lora-fsdp-b6-2048'))).toBeNull();
  });
});

describe('a prediction', () => {
  it('of most rows is given, and habits change what they are habits of', () => {
    expect(rows.filter((row) => asAsked(row) === null).length).toBeLessThan(0.1 * rows.length);
    const upcast = rowOf('fitcheck-qwen2.5-1.5b-sdpa-b2-1024-device');
    expect(withHabits(upcast)?.device ?? 0).toBeGreaterThan(1.1 * (asAsked(upcast)?.device ?? 0));
  });
});

describe('held-out rows', () => {
  it('are shown one by one to nobody who has not said twice that he wants it', async () => {
    await expect(benchForesight(['--rows', 'held-out'])).rejects.toThrow('--reveal-held-out');
    await expect(benchForesight(['--rows', 'all'])).rejects.toThrow('tune, held-out');
  });
});
