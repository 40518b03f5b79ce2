import { expect, test } from 'vitest';
import { sameOriginPath } from './same-origin-path.ts';

const origin = 'http://127.0.0.1:3000';

test('a path of ours is kept whole', () => {
  expect(sameOriginPath('/jobs/1?tab=log#end', origin)).toBe('/jobs/1?tab=log#end');
  expect(sameOriginPath('/jobs/../models//1', origin)).toBe('/models//1');
});

test.each([
  null,
  '',
  'jobs',
  '//evil.example',
  '/..//evil.example',
  '/.//evil.example',
  '/%2e%2e//evil.example',
  '/jobs/../..//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
])('a link to %j leads nowhere else', (to) => {
  expect(sameOriginPath(to, origin)).toBe('/');
});
