import { describe, expect, it } from 'vitest';
import { someForecast, someHello, someProbe } from '../../../../test/foretold.ts';
import { measureRun, observeRun, residualsOf, stackVersion, type TrainerWord } from './measured-run.ts';

const END = { hours: 0.3, cost: 0.24 };
const said = (type: string, data: Record<string, unknown>, attempt = 1): TrainerWord => ({ attempt, type, data });
const done = (over: Record<string, unknown> = {}) =>
  said('done', { summary: { peak_memory_mb: 6000, peak_reserved_mb: 6500, ...over } });
const measured = (words: TrainerWord[], end: Parameters<typeof measureRun>[1] = END) => {
  const run = measureRun(words, end);
  if (run === null) throw new Error('nothing was measured');
  return run;
};

describe('the version of a stack', () => {
  it('is what decides bytes and seconds, to the minor version', () => {
    const versions = { python: '3.11.2', torch: '2.13.0+cu128', transformers: '5.23.1', peft: '0.21.2', trainer: '0.1.0' };
    expect(stackVersion(versions)).toBe('torch 2.13, transformers 5.23, peft 0.21, trainer 0.1.0');
    expect(stackVersion({ ...versions, torch: '2.13.4' })).toBe(stackVersion(versions));
    expect(stackVersion({ ...versions, torch: '2.14.0' })).not.toBe(stackVersion(versions));
    expect(stackVersion({})).toBe('');
  });
});

describe('what a run measured', () => {
  it('is in bytes, under the catalogue’s name of its device', () => {
    expect(measured([said('hello', someHello()), said('probe', someProbe()), done()])).toEqual({
      gpu: 'L4',
      stack_version: stackVersion(someHello().versions),
      allocated_bytes: 6e9,
      reserved_bytes: 6.5e9,
      device_bytes: 7.4e9,
      at_least_bytes: null,
      seconds_per_step: 0.55,
      hours: 0.3,
      cost: 0.24,
    });
  });
  it('grows on the device by what the allocator took after the probe', () => {
    const run = measured([said('hello', someHello()), said('probe', someProbe()), done({ peak_reserved_mb: 7500 })]);
    expect([run.reserved_bytes, run.device_bytes]).toEqual([7.5e9, 8.4e9]);
  });
  it('is the process where it ran on a processor', () => {
    const probe = someProbe({ peak_allocated_mb: null, peak_reserved_mb: null, device_memory_mb: 900 });
    const hello = someHello({ device: 'cpu', gpus: [] });
    expect(
      measured([said('hello', hello), said('probe', probe), done({ peak_memory_mb: 950, peak_reserved_mb: null })]),
    ).toMatchObject({
      gpu: 'CPU',
      allocated_bytes: null,
      reserved_bytes: null,
      device_bytes: 950e6,
    });
  });
  it('keeps the driver’s own name of a device that the catalogue does not have', () => {
    const hello = someHello({ gpus: [{ name: 'ACME Matrix 9', memory_mb: 9000 }] });
    expect(measured([said('hello', hello), said('probe', someProbe())]).gpu).toBe('ACME Matrix 9');
  });
  it('is of the attempt that met the largest pass', () => {
    const first = [said('hello', someHello(), 1), said('probe', someProbe(), 1)];
    const resumed = [said('hello', someHello(), 2), said('probe', someProbe({ longest_pass_tokens: 9, device_memory_mb: 1 }), 2)];
    expect(measured([...first, ...resumed]).device_bytes).toBe(7.4e9);
  });
  it('has no hours and no cost unless it went to its end', () => {
    const words = [said('hello', someHello()), said('probe', someProbe())];
    expect(measured(words, null)).toMatchObject({ hours: null, cost: null, seconds_per_step: 0.55 });
  });
  it('tells of a run that went out of the GPU’s memory that all of it was too little, and no memory', () => {
    const words = [said('hello', someHello()), said('probe', someProbe()), said('error', { code: 'out_of_memory' })];
    expect(measured(words, null)).toMatchObject({
      at_least_bytes: 23_034e6,
      device_bytes: null,
      reserved_bytes: null,
      seconds_per_step: 0.55,
    });
    const other = [said('hello', someHello()), said('probe', someProbe()), said('error', { code: 'nan_loss' })];
    expect(measured(other, null)).toMatchObject({ at_least_bytes: null, device_bytes: 7.4e9 });
  });
  it('is nothing of a run that never said where it ran, and no figure of a line that cannot be read', () => {
    expect(measureRun([done()], END)).toBeNull();
    expect(measured([said('hello', someHello()), said('probe', { ...someProbe(), device_memory_mb: 'much' })])).toMatchObject({
      device_bytes: null,
      seconds_per_step: null,
    });
  });
});

describe('residuals', () => {
  const words = [said('hello', someHello()), said('probe', someProbe())];
  it('are taken against the formulas, whatever was told', () => {
    const forecast = someForecast();
    const { device_bytes } = forecast;
    const corrected = { ...forecast, device_bytes: { ...device_bytes, figure: 7.4e9, formula: 8e9 } };
    expect(residualsOf(corrected, measured(words))).toEqual({
      memory: expect.closeTo(Math.log(7.4 / 8), 10),
      time: expect.closeTo(Math.log(0.55 / 0.5), 10),
      memory_at_least: null,
    });
  });
  it('are the allocator’s where the device’s bytes were not measured', () => {
    const run = { ...measured(words), device_bytes: null };
    expect(residualsOf(someForecast(), run).memory).toBeCloseTo(Math.log(6.5 / 7.2), 10);
  });
  it('are none of a run on another device than was asked about', () => {
    expect(residualsOf(someForecast({ gpu: 'A100-80GB' }), measured(words))).toEqual({
      memory: null,
      time: null,
      memory_at_least: null,
    });
  });
  it('know the device by any of its names', () => {
    expect(residualsOf(someForecast({ gpu: 'NVIDIA L4' }), measured(words)).memory).not.toBeNull();
  });
  it('of time are none where no time was foretold', () => {
    expect(residualsOf(someForecast({ seconds_per_step: null }), measured(words)).time).toBeNull();
  });
});

describe('an observation', () => {
  it('is made where something was foretold, and not else', () => {
    const words = [said('hello', someHello()), said('probe', someProbe())];
    expect(observeRun({ forecast: someForecast() }, words, END)?.forecast).toEqual(someForecast());
    expect(observeRun({}, words, END)).toBeNull();
    expect(observeRun({ forecast: someForecast() }, [], END)).toBeNull();
  });
});
