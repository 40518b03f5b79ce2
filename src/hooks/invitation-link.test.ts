import { expect, test } from 'vitest';
import { readInvitation } from './invitation-link.ts';

test('an invitation link names its token, and the address that it was made for where it has one', () => {
  expect(readInvitation('abc-_9')).toEqual({ token: 'abc-_9', email: null });
  expect(readInvitation('abc&email=ada%2Bx%40example.org')).toEqual({ token: 'abc', email: 'ada+x@example.org' });
  expect(readInvitation('abc&utm=1')).toEqual({ token: 'abc', email: null });
});
