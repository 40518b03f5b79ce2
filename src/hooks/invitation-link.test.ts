import { expect, test } from 'vitest';
import { leadsHereOnly, readInvitation } from './invitation-link.ts';

test('an invitation link names its token, and the address that it was made for where it has one', () => {
  expect(readInvitation('abc-_9')).toEqual({ token: 'abc-_9', email: null });
  expect(readInvitation('abc&email=ada%2Bx%40example.org')).toEqual({ token: 'abc', email: 'ada+x@example.org' });
  expect(readInvitation('abc&utm=1')).toEqual({ token: 'abc', email: null });
});

test('a link that leads to this machine alone is known, and no other is taken for one', () => {
  const hosts = ['127.0.0.1:3000', 'localhost:3000', '[::1]:3000', 'lowrank.example.org', '10.0.0.5:3000', 'localhost.example'];
  expect(hosts.map((host) => leadsHereOnly(`http://${host}/sign-up#abc`))).toEqual([true, true, true, false, false, false]);
  expect(leadsHereOnly('')).toBe(false);
});
