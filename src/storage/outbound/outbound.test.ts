import { createServer, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type Receiver, startReceiver } from '../../../test/receiver.ts';
import { checkedAddresses, type OutboundMeans, outboundMeans } from './checked-addresses.ts';
import type { OutboundError } from './outbound-error.ts';
import { outboundUrl } from './outbound-url.ts';
import { isPublicAddress } from './public-address.ts';
import { type OutboundRequest, sendOutbound } from './send-outbound.ts';

const faultOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return (error as OutboundError).code;
  }
  return 'none';
};
const urlFault = (url: string, trusted: string[] = []) => faultOf((async () => outboundUrl(url, trusted))());

describe('an address of the public internet', () => {
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('is %s', (address) => expect(isPublicAddress(address)).toBe(true));

  test.each([
    ['this host', '0.0.0.0', '0.1.2.3', '::'],
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    ['private', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255'],
    ['shared by a carrier', '100.64.0.1', '100.127.255.255'],
    ['link-local', '169.254.0.1', '169.254.169.254', 'fe80::1', 'febf::1', 'fe80::1%eth0'],
    ['unique local', 'fc00::1', 'fdff::1', 'fec0::1'],
    [
      'for documents and tests',
      '192.0.2.1',
      '198.51.100.1',
      '203.0.113.1',
      '198.18.0.1',
      '198.19.255.255',
      '2001:db8::1',
      '3fff::1',
    ],
    ['for protocols', '192.0.0.1', '192.88.99.1', '2001::1', '2001:10::1', '100::1'],
    ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
    ['reserved', '240.0.0.1', '255.255.255.255', '4000::1'],
    [
      'an IPv4 in disguise',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '64:ff9b::808:808',
      '64:ff9b:1::1',
      '2002:7f00:1::',
    ],
    ['no plain address', '', 'localhost', '0177.0.0.1', '0x7f.1', '127.1', '2130706433', '[::1]', '1.1.1.1 '],
  ])('is none that is %s', (_, ...addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([]);
  });
});

describe('an address that somebody gave', () => {
  test.each([
    'https://hooks.example.org/lowrank?x=1',
    'https://hooks.example.org:8443/',
    'https://HOOKS.example.org',
    'https://bücher.example/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
  ])('may be %s', async (url) => expect(await urlFault(url)).toBe('none'));

  test.each([
    ['http://hooks.example.org/', 'https_required'],
    ['ftp://hooks.example.org/', 'https_required'],
    ['file:///etc/passwd', 'https_required'],
    ['javascript:alert(1)', 'https_required'],
    ['data:text/plain,x', 'https_required'],
    ['hooks.example.org', 'invalid_url'],
    ['', 'invalid_url'],
    ['https://', 'invalid_url'],
    ['https://a@hooks.example.org/', 'invalid_url'],
    ['https://hooks.example.org@127.0.0.1/', 'invalid_url'],
    ['https://:secret@hooks.example.org/', 'invalid_url'],
    ['https://127.0.0.1#@hooks.example.org', 'invalid_url'],
    ['https://hooks.example.org\\@127.0.0.1', 'invalid_url'],
    ['https://hooks.example.org/\r\nX-Header: 1', 'invalid_url'],
    ['https://hooks.exa\tmple.org/', 'invalid_url'],
    [`https://hooks.example.org/${'x'.repeat(2048)}`, 'invalid_url'],
    ['https://0177.0.0.1/', 'invalid_url'],
    ['https://0x7f.1/', 'invalid_url'],
    ['https://2130706433/', 'invalid_url'],
    ['https://127.1/', 'invalid_url'],
    ['https://127.0.0.1./', 'invalid_url'],
    ['https://134744072/', 'invalid_url'],
    ['https://１２７.0.0.1/', 'invalid_url'],
    ['https://127%2e0.0.1/', 'invalid_url'],
    ['https://[fe80::1%25eth0]/', 'invalid_url'],
    ['https://hooks.example.org:99999/', 'invalid_url'],
    ['https://hooks.example.org:22/', 'port_not_allowed'],
    ['https://hooks.example.org:5432/', 'port_not_allowed'],
    ['https://hooks.example.org:80/', 'port_not_allowed'],
    ['https://hooks.example.org:0/', 'port_not_allowed'],
    ['https://localhost/', 'address_not_public'],
    ['https://LOCALHOST./', 'address_not_public'],
    ['https://foo.localhost/', 'address_not_public'],
    ['https://metadata.google.internal/', 'address_not_public'],
    ['https://printer.local/', 'address_not_public'],
    ['https://router.home.arpa/', 'address_not_public'],
    ['https://intranet/', 'address_not_public'],
  ])('may not be %s', async (url, code) => expect(await urlFault(url)).toBe(code));

  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '10.1.2.3',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[fd00::1]',
    '[64:ff9b::7f00:1]',
  ])('is refused before a connection when it is https://%s', async (host) =>
    expect(await faultOf(checkedAddresses(outboundUrl(`https://${host}/`, []), outboundMeans([])))).toBe('address_not_public'),
  );

  test('of a host that the operator trusts may be plain, at any port and inside; its neighbours may not', async () => {
    const trusted = ['hooks.inner', '127.0.0.1:8080', '[::1]:9000'];
    for (const url of ['http://hooks.inner/', 'https://hooks.inner:9443/x', 'http://127.0.0.1:8080/', 'http://[::1]:9000/'])
      expect([url, await urlFault(url, trusted)]).toEqual([url, 'none']);
    expect(await checkedAddresses(outboundUrl('http://127.0.0.1:8080/', trusted), outboundMeans(trusted))).toEqual(['127.0.0.1']);
    for (const url of [
      'http://127.0.0.1:8081/',
      'http://127.0.0.1/',
      'http://a.hooks.inner/',
      'http://[::1]:9001/',
      'http://hooks.inner.example.org/',
    ])
      expect([url, await urlFault(url, trusted)]).toEqual([url, 'https_required']);
    expect(await urlFault('ftp://hooks.inner/', trusted)).toBe('https_required');
    expect(await urlFault('http://me@hooks.inner/', trusted)).toBe('invalid_url');
  });
});

describe('the addresses of a host', () => {
  const means = (answer: () => Promise<string[]>): OutboundMeans => ({ ...outboundMeans([]), resolve: answer });
  const asked = outboundUrl('https://hooks.example.org/', []);
  const dns = (code: string) => Object.assign(new Error(code), { code });

  test('are all of them, and one that is not public refuses the host', async () => {
    expect(
      await checkedAddresses(
        asked,
        means(async () => ['1.1.1.1', '2606:4700::1111']),
      ),
    ).toEqual(['1.1.1.1', '2606:4700::1111']);
    for (const inner of ['10.0.0.1', '::1', '::ffff:8.8.8.8'])
      expect(
        await faultOf(
          checkedAddresses(
            asked,
            means(async () => ['1.1.1.1', inner]),
          ),
        ),
      ).toBe('address_not_public');
  });

  test('that are none, unknown or not to be had are told apart', async () => {
    expect(
      await faultOf(
        checkedAddresses(
          asked,
          means(async () => []),
        ),
      ),
    ).toBe('host_unknown');
    expect(
      await faultOf(
        checkedAddresses(
          asked,
          means(() => Promise.reject(dns('ENOTFOUND'))),
        ),
      ),
    ).toBe('host_unknown');
    expect(
      await faultOf(
        checkedAddresses(
          asked,
          means(() => Promise.reject(dns('ETIMEOUT'))),
        ),
      ),
    ).toBe('dns_failed');
  });
});

describe('a request', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });
  const receive = async (...asked: Parameters<typeof startReceiver>): Promise<Receiver> => {
    const receiver = await startReceiver(...asked);
    open.push(receiver);
    return receiver;
  };
  const send = (to: Receiver, more: Partial<OutboundRequest> = {}) =>
    sendOutbound(
      { url: `${to.url}/hook`, method: 'POST', body: '{"a":1}', timeout_ms: 10_000, ...more },
      outboundMeans([to.host]),
    );

  test('arrives as it was written, and its answer comes back', async () => {
    const to = await receive((response) => response.writeHead(201, { 'x-kind': 'test' }).end('done'));
    const answer = await send(to, { headers: { 'content-type': 'application/json' }, response_bytes_max: 100 });
    expect([answer.status, answer.headers['x-kind'], answer.body.toString()]).toEqual([201, 'test', 'done']);
    expect(to.got).toMatchObject([
      { method: 'POST', path: '/hook', body: '{"a":1}', headers: { 'content-length': '7', host: to.host, connection: 'close' } },
    ]);
  });

  test('goes to the address that was checked, whatever the name is by then', async () => {
    const checked = await receive(undefined, '127.0.0.2');
    const inner = await receive(undefined, '127.0.0.1', checked.port);
    const answers = [['127.0.0.2'], ['127.0.0.1']];
    const host = `rebinding.example.org:${checked.port}`;
    const means: OutboundMeans = { ...outboundMeans([host]), resolve: async () => answers.shift() ?? [] };
    expect((await sendOutbound({ url: `http://${host}/`, method: 'GET', timeout_ms: 10_000 }, means)).status).toBe(200);
    expect([checked.got.length, inner.got.length, answers]).toEqual([1, 0, [['127.0.0.1']]]);
  });

  test('is not sent where a name leads inside by now, though it was public when it was saved', async () => {
    const answers = [['1.1.1.1'], ['127.0.0.1']];
    const means: OutboundMeans = { ...outboundMeans([]), resolve: async () => answers.shift() ?? [] };
    const url = 'https://rebinding.example.org:8443/';
    expect(await checkedAddresses(outboundUrl(url, []), means)).toEqual(['1.1.1.1']);
    expect(await faultOf(sendOutbound({ url, method: 'GET', timeout_ms: 10_000 }, means))).toBe('address_not_public');
  });

  test('follows no redirect', async () => {
    const inner = await receive();
    for (const status of [301, 302, 303, 307, 308]) {
      const to = await receive((response) => response.writeHead(status, { location: inner.url }).end());
      expect((await send(to)).status).toBe(status);
    }
    expect(inner.got).toEqual([]);
  });

  test('ends at its time: when nobody answers, and when the answer drips', async () => {
    const silent = await receive(() => undefined);
    expect(await faultOf(send(silent, { timeout_ms: 100 }))).toBe('timeout');
    const dripping = await receive((response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 10);
      response.once('close', () => clearInterval(drip));
    });
    expect(await faultOf(send(dripping, { timeout_ms: 200, response_bytes_max: 1_000_000 }))).toBe('timeout');
    // Whoever wants no body has the answer with its head.
    expect((await send(dripping, { timeout_ms: 10_000 })).status).toBe(200);
    const resolving = { ...outboundMeans([]), resolve: () => new Promise<string[]>(() => undefined) };
    expect(await faultOf(sendOutbound({ url: 'https://hooks.example.org/', method: 'GET', timeout_ms: 50 }, resolving))).toBe(
      'timeout',
    );
  });

  test('ends when it is stopped, before and while it waits', async () => {
    const silent = await receive(() => undefined);
    expect(await faultOf(send(silent, { signal: AbortSignal.abort() }))).toBe('stopped');
    const stopping = new AbortController();
    const asked = faultOf(send(silent, { signal: stopping.signal }));
    await silent.until(1);
    stopping.abort();
    expect(await asked).toBe('stopped');
  });

  test('reads no more of an answer than was asked for, and unpacks none of it', async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    const to = await receive((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const answer = await send(to, { response_bytes_max: bomb.length });
    expect(answer.body.equals(bomb)).toBe(true);
    expect(await faultOf(send(to, { response_bytes_max: bomb.length - 1 }))).toBe('response_too_large');
    expect((await send(to)).body.length).toBe(0);
  });

  test('that finds nobody, or somebody who speaks no HTTP or no TLS, says which', async () => {
    const gone = await receive();
    await gone.close();
    expect(await faultOf(send(gone))).toBe('connection_failed');
    const rude: Server = createServer((socket) =>
      socket
        .on('error', () => socket.destroy())
        .resume()
        .end('good day\r\n\r\n'),
    );
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
    open.push({ close: () => new Promise((resolve) => rude.close(() => resolve())) });
    const { port } = rude.address() as { port: number };
    const to = (scheme: string) => ({ url: `${scheme}://127.0.0.1:${port}/`, method: 'GET' as const, timeout_ms: 10_000 });
    expect(await faultOf(sendOutbound(to('http'), outboundMeans([`127.0.0.1:${port}`])))).toBe('connection_failed');
    expect(await faultOf(sendOutbound(to('https'), outboundMeans([`127.0.0.1:${port}`])))).toBe('tls_failed');
  });
});
