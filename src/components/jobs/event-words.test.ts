import { expect, test } from 'vitest';
import { eventWords } from './event-words.ts';

const event = (type: string, rest: Partial<Parameters<typeof eventWords>[0]> = {}) => ({
  seq: 1,
  type,
  from_status: null,
  to_status: null,
  attempt: 1,
  message: null,
  data: {},
  created_at: '2026-01-01T00:00:00Z',
  ...rest,
});

test('a change of status is told by its word', () => {
  expect(eventWords(event('state', { to_status: 'initializing' })).title).toBe('Starting');
});

test('what the trainer says is told with its figures', () => {
  const hello = { device: 'cpu', trainer: 'lowrank-lora 0.1.0', trainable_parameters: 8192, total_parameters: 39360 };
  expect(eventWords(event('hello', { data: hello })).detail).toBe(
    'lowrank-lora 0.1.0 · on CPU · 8,192 of 39,360 parameters trained',
  );
  expect(eventWords(event('checkpoint', { data: { step: 60, bytes: 117620 } })).detail).toBe('step 60, 118 kB');
  expect(eventWords(event('stage', { message: 'evaluating', data: { stage: 'evaluating' } }))).toEqual({
    title: 'Evaluating',
    detail: null,
  });
  const counted = { stage: 'preparing_data', done: 1200, total: 3000, eta_seconds: 9 };
  expect(eventWords(event('stage', { data: counted }))).toEqual({ title: 'Preparing the data', detail: '1,200 of 3,000' });
  const measured = 'measured over 5 steps: 0.14 s/step, 1.2 GB';
  expect(eventWords(event('probe', { message: measured }))).toEqual({ title: 'First steps', detail: measured });
});

test('a trainer that was asked to stop has not failed, any other error has', () => {
  const stopped = event('error', { message: 'Stopped by request after step 29.', data: { code: 'interrupted' } });
  expect(eventWords(stopped)).toEqual({ title: 'The trainer stopped', detail: 'Stopped by request after step 29.' });
  expect(eventWords(event('error', { message: 'No row is left.', data: { code: 'data' } })).title).toBe('The trainer failed');
});

test('an event of a kind that we do not know keeps its own words', () => {
  expect(eventWords(event('gpu_released', { message: 'GPU 0' }))).toEqual({ title: 'Gpu released', detail: 'GPU 0' });
});
