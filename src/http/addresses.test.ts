import { describe, expect, test } from 'vitest';
import { addressesOf, refusedHost, refusedPath } from './addresses.ts';

describe('the hosts that are answered', () => {
  test('are loopback with the port, and nothing else by default', () => {
    expect(addressesOf({ host: '127.0.0.1', port: 3000 }, { hosts: [] })).toEqual({
      base_url: 'http://127.0.0.1:3000',
      allowed_hosts: ['127.0.0.1:3000', 'localhost:3000', '[::1]:3000'],
    });
  });

  test('are also the public address, where we listen and what the owner named, with and without port', () => {
    const { base_url, allowed_hosts } = addressesOf(
      { host: '10.0.0.5', port: 8080 },
      { public_url: 'https://studio.example.org/', hosts: ['Studio.lan', 'other.lan:9'] },
    );
    expect(base_url).toBe('https://studio.example.org');
    expect(allowed_hosts.slice(3)).toEqual([
      '10.0.0.5:8080',
      'studio.lan:8080',
      'other.lan:9',
      'studio.lan',
      'studio.example.org',
    ]);
  });

  test('never are every address when we listen on all of them', () => {
    const { base_url, allowed_hosts } = addressesOf({ host: '::', port: 80 }, { hosts: [] });
    expect(base_url).toBe('http://127.0.0.1');
    expect(allowed_hosts).toEqual(['127.0.0.1', 'localhost', '[::1]']);
  });

  test('are compared without case, and a missing one is refused', () => {
    expect(refusedHost(['localhost:3000'], 'LocalHost:3000')).toBeNull();
    expect(refusedHost(['localhost:3000'], undefined)?.code).toBe('misdirected_request');
  });
});

describe('a path', () => {
  test.each([
    '/',
    '/api/jobs?x=/../',
    '/_next/static/chunks/app/(dashboard)/jobs/%5Bid%5D/page-1.js',
    '/a.b/..c',
    '/ü',
    '/%C3%BC',
  ])('%s is plain', (target) => {
    expect(refusedPath(target)).toBeNull();
  });
  test.each(['*', 'http://x/', '/a/..', '/a/./b', '/..;/a', '/%2E%2E/a', '/a%5Cb', '/%', '/%ff', ''])('%s is not', (target) => {
    expect(refusedPath(target)?.code).toBe('not_found');
  });
});
