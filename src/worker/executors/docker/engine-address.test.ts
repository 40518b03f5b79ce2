import { describe, expect, test } from 'vitest';
import { certificateFiles, engineAddress } from './engine-address.ts';

const tcp = (host: string, port: number, certificates: string | null = null) => ({ kind: 'tcp', host, port, certificates });

describe('the address of the engine', () => {
  test('is Docker’s socket unless another one is named', () => {
    for (const nothing of [undefined, ''])
      expect(engineAddress(nothing, undefined)).toEqual({ kind: 'socket', path: '/var/run/docker.sock' });
    expect(engineAddress('unix:///run/user/1000/docker.sock', undefined)).toEqual({
      kind: 'socket',
      path: '/run/user/1000/docker.sock',
    });
  });

  test.each([
    ['tcp://127.0.0.1:2375', tcp('127.0.0.1', 2375)],
    ['tcp://localhost', tcp('localhost', 2375)],
    ['tcp://[::1]:9999/', tcp('::1', 9999)],
  ])('may be a loopback port in plain HTTP: %s', (docker_host, address) => {
    expect(engineAddress(docker_host, '')).toEqual(address);
  });

  test('may be anywhere by TLS, with certificates by Docker’s names', () => {
    expect(engineAddress('tcp://gpu.example', '/certs')).toEqual(tcp('gpu.example', 2376, '/certs'));
    expect(engineAddress('tcp://gpu.example:1234', '/certs')).toEqual(tcp('gpu.example', 1234, '/certs'));
    expect(certificateFiles('/certs')).toEqual({ ca: '/certs/ca.pem', cert: '/certs/cert.pem', key: '/certs/key.pem' });
  });

  test.each(['tcp://gpu.example', 'tcp://192.0.2.1:2375', 'tcp://127.0.0.1.evil.example:2375', 'tcp://[2001:db8::1]:2375'])(
    'is refused across a network without TLS, with the way out: %s',
    (docker_host) => {
      expect(engineAddress(docker_host, undefined)).toMatch(
        /without TLS: set DOCKER_CERT_PATH to the folder .* on 127\.0\.0\.1$/,
      );
    },
  );

  test.each([
    'ssh://gpu.example',
    'http://127.0.0.1:2375',
    'unix://docker.sock',
    'tcp://',
    'tcp://a:b',
    '127.0.0.1:2375',
    'npipe:////./x',
  ])('is refused where it is none that can be used: %s', (docker_host) => {
    expect(engineAddress(docker_host, '/certs')).toMatch(/^DOCKER_HOST=.* is no address that can be used: name a socket/);
  });
});
