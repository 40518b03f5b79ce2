import { expect, test } from 'vitest';
import { isLoopback, isReadOnTheWay, localOrigin } from './listening.ts';

test('only loopback addresses are this machine’s own', () => {
  expect(['127.0.0.1', '127.8.8.8', 'localhost', '::1'].map(isLoopback)).toEqual([true, true, true, true]);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example'].map(isLoopback)).toEqual(
    Array(5).fill(false),
  );
});

test('what others reach is read on the way unless TLS stands in front', () => {
  expect(isReadOnTheWay('127.0.0.1', undefined)).toBe(false);
  expect(isReadOnTheWay('0.0.0.0', 'https://studio.example.org')).toBe(false);
  expect(isReadOnTheWay('0.0.0.0', 'http://studio.example.org')).toBe(true);
  expect(isReadOnTheWay('10.0.0.5', undefined)).toBe(true);
});

test('a client on this machine is sent where the studio listens, and to loopback where that is everywhere', () => {
  expect(['127.0.0.1', '10.0.0.5', '::1', '0.0.0.0', '::'].map((host) => localOrigin(host, 3000))).toEqual([
    ...['http://127.0.0.1:3000', 'http://10.0.0.5:3000', 'http://[::1]:3000'],
    ...['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ]);
});
