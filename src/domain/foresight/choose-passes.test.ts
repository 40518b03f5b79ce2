import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { choosePasses, type Passes } from './choose-passes.ts';

/** A device of `room` bytes, where a row takes 10, or 2 with checkpointing, and a pass costs its launch. */
const device =
  (room: number, { launch = 0, again = 1.3 } = {}) =>
  ({ micro_batch, grad_accum, gradient_checkpointing }: Passes) => {
    const device_bytes = 10 + micro_batch * (gradient_checkpointing ? 2 : 10);
    const seconds_per_step = grad_accum * (launch + micro_batch * (gradient_checkpointing ? again : 1));
    return { fits: device_bytes <= room, device_bytes, seconds_per_step };
  };
const asked = (micro_batch: number, grad_accum = 1): Passes => ({ micro_batch, grad_accum, gradient_checkpointing: false });

describe('the passes of a step', () => {
  test('are as they were asked for where that fits', () => {
    expect(choosePasses(asked(8), device(90))).toEqual(asked(8));
    expect(choosePasses(asked(2, 4), device(90))).toEqual(asked(2, 4));
  });

  test('are split where that is faster than computing everything again, and else not', () => {
    expect(choosePasses(asked(8), device(50))).toEqual({ micro_batch: 4, grad_accum: 2, gradient_checkpointing: false });
    expect(choosePasses(asked(8), device(50, { launch: 5 }))).toEqual({
      micro_batch: 8,
      grad_accum: 1,
      gradient_checkpointing: true,
    });
  });

  test('keep an accumulation that was asked for where it fits with checkpointing, though another were faster', () => {
    expect(choosePasses(asked(4, 2), device(30))).toEqual({ micro_batch: 4, grad_accum: 2, gradient_checkpointing: true });
    expect(choosePasses(asked(4, 2), device(12))).toEqual({ micro_batch: 1, grad_accum: 8, gradient_checkpointing: true });
  });

  test('need the least there is where nothing fits', () => {
    expect(choosePasses(asked(6), device(1))).toEqual({ micro_batch: 1, grad_accum: 6, gradient_checkpointing: true });
  });

  test('never change how many rows a step has, and fit whenever any do', () => {
    const inputs = fc.record({
      micro: fc.integer({ min: 1, max: 16 }),
      accum: fc.integer({ min: 1, max: 8 }),
      room: fc.integer({ min: 1, max: 200 }),
    });
    fc.assert(
      fc.property(inputs, ({ micro, accum, room }) => {
        const need = device(room, { launch: 0.5 });
        const chosen = choosePasses(asked(micro, accum), need);
        expect(chosen.micro_batch * chosen.grad_accum).toBe(micro * accum);
        const smallest = { micro_batch: 1, grad_accum: micro * accum, gradient_checkpointing: true };
        expect(need(chosen).fits).toBe(need(smallest).fits);
      }),
    );
  });
});
