import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TRAINER_CAN } from './trainer-abilities.ts';
import { HELLO_BYTES_MAX, readHello, whatItLacks } from './trainer-hello.ts';

const sample = () => JSON.parse(readFileSync(new URL('../../trainer/schema/samples/hello.json', import.meta.url), 'utf8'));
const reasonOf = (stdout: string) => {
  const read = readHello(stdout);
  return read.ok ? null : read.reason;
};

describe('the line of --hello', () => {
  test('is the last one that was printed: an image may greet first', () => {
    expect(readHello(`== CUDA ==\n\n${JSON.stringify(sample())}\n\n`)).toEqual({ ok: true, hello: sample() });
  });

  test('may say more than we know: that is left out, and what is named but unknown is kept', () => {
    const newer = {
      ...sample(),
      protocols: [1, 2],
      since: 2030,
      trains: [...sample().trains, { ...sample().trains[0], model_kind: 'video', tempo: 3 }],
    };
    const read = readHello(JSON.stringify(newer));
    expect(read).toEqual({
      ok: true,
      hello: { ...sample(), protocols: [1, 2], trains: [...sample().trains, { ...sample().trains[0], model_kind: 'video' }] },
    });
  });

  test('that cannot be read is refused with what is wrong with it', () => {
    expect(reasonOf('')).toBe('it printed nothing: --hello prints one line of JSON on stdout');
    expect(reasonOf('usage: train.py [-h]')).toBe('the last line that it printed is not JSON');
    expect(reasonOf(JSON.stringify({ ...sample(), more: 'x'.repeat(HELLO_BYTES_MAX) }))).toMatch(/longer than 65536 bytes/);
    expect(reasonOf('[]')).toMatch(/^the field \(whole line\)/);
    expect(reasonOf(JSON.stringify({ ...sample(), protocols: ['1'] }))).toMatch(/^the field protocols\.0 /);
    expect(reasonOf(JSON.stringify({ ...sample(), trains: [] }))).toMatch(/^the field trains /);
    const evil = { ...sample().trains[0], methods: ['<script>'] };
    expect(reasonOf(JSON.stringify({ ...sample(), trains: [evil] }))).toMatch(/^the field trains\.0\.methods\.0 /);
    expect(reasonOf(JSON.stringify({ ...sample(), trainer: 'a\u0000b' }))).toMatch(/^the field trainer /);
  });

  test('of another protocol, or of kinds that nobody asks for, is refused with both sides', () => {
    expect(reasonOf(JSON.stringify({ ...sample(), protocols: [2, 3] }))).toBe('it speaks protocol 2, 3, and this version 1');
    const video = { ...sample().trains[0], model_kind: 'video' };
    expect(reasonOf(JSON.stringify({ ...sample(), trains: [video] }))).toMatch(/^it trains video, and this version asks for /);
  });
});

test('the trainer that comes along says of itself what the studio offers', () => {
  const [kind] = sample().trains;
  expect(sample().trains.flatMap((one: { methods: string[] }) => one.methods)).toEqual(
    expect.arrayContaining([...TRAINER_CAN.methods]),
  );
  expect(kind.strategies).toEqual([...TRAINER_CAN.strategies]);
  expect(kind.devices_max).toBe(TRAINER_CAN.devices_max);
});

test('what a trainer lacks is told by name', () => {
  const trains = [{ model_kind: 'causal-lm', methods: ['lora'], strategies: ['none', 'ddp'], devices_max: 2 }];
  const hello = { protocols: [1], trainer: 'ours 3', trains };
  const asked = { model_kind: 'causal-lm', method: 'lora', strategy: 'ddp', devices: 2 };
  expect(whatItLacks(hello, asked)).toBeNull();
  expect(whatItLacks(hello, { ...asked, model_kind: 'sdxl' })).toBe('It trains causal-lm, and this is a training of sdxl.');
  expect(whatItLacks(hello, { ...asked, method: 'dora' })).toBe('Of causal-lm it trains lora, not dora.');
  expect(whatItLacks(hello, { ...asked, devices: 3 })).toBe('It trains causal-lm on at most 2 devices, not 3.');
  expect(whatItLacks(hello, { ...asked, strategy: 'fsdp' })).toBe('Its strategies for causal-lm are none, ddp, not fsdp.');
});
