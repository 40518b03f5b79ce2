// The keys that prove the access tokens of a Supabase project: where they are had, and what they prove.
import { createPublicKey, randomUUID } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { env } from '#/env.ts';
import { accessTokens } from '#/services/people/access-tokens.ts';
import { signingKeys } from '#/services/people/signing-keys.ts';
import { outboundMeans } from '#/storage/outbound/checked-addresses.ts';
import { ask, claimsOf, db, rules, signed } from '../../test/access-token-scene.ts';
import { addCaller, makeApi } from '../../test/api.ts';
import { type Receiver, startReceiver } from '../../test/receiver.ts';

describe('signing keys', () => {
  let issuer: Receiver;
  let old_key: Awaited<ReturnType<typeof keyPair>>;
  let keys: unknown[] = [];
  let status = 200;
  const keyPair = async (alg: 'ES256' | 'RS256', kid: string) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    return { ...pair, alg, kid, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' } };
  };
  type Pair = Awaited<ReturnType<typeof keyPair>>;
  const signedBy = (pair: Pair, claims = claimsOf(randomUUID()), kid = pair.kid) =>
    new SignJWT(claims).setProtectedHeader({ alg: pair.alg, kid }).sign(pair.privateKey);
  const appWith = (algorithm: 'ES256' | 'RS256' = 'ES256') =>
    makeApi({ access_tokens: accessTokens(rules({ algorithm, jwks_url: `${issuer.url}/keys` })) });

  beforeAll(async () => {
    issuer = await startReceiver((response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys }));
    });
    old_key = await keyPair('ES256', 'old');
  });
  beforeEach(() => {
    keys = [old_key.jwk];
    status = 200;
    issuer.got.length = 0;
  });
  afterAll(() => issuer.close());

  test('prove tokens of ES256 and of RS256, fetched once', async () => {
    const app = appWith();
    for (let i = 0; i < 3; i++) expect((await ask(await signedBy(old_key), '/api/me', app)).status).toBe(200);
    const rsa = await keyPair('RS256', 'rsa');
    keys = [old_key.jwk, rsa.jwk];
    expect((await ask(await signedBy(rsa), '/api/me', appWith('RS256'))).status).toBe(200);
    expect(issuer.got.map(({ path }) => path)).toEqual(['/keys', '/keys']);
  });

  test('take no other algorithm, also not HS256 with the public key as its secret', async () => {
    const app = appWith();
    const rsa = await keyPair('RS256', 'rsa');
    keys = [old_key.jwk, rsa.jwk];
    const pem = await exportSPKI(old_key.publicKey);
    const raw = createPublicKey(pem).export({ format: 'der', type: 'spki' });
    const jwk = JSON.stringify(old_key.jwk);
    for (const secret of [Buffer.from(pem), raw, Buffer.from(jwk)]) {
      const confused = await new SignJWT(claimsOf(randomUUID())).setProtectedHeader({ alg: 'HS256', kid: 'old' }).sign(secret);
      expect((await ask(confused, '/api/me', app)).status).toBe(401);
    }
    expect((await ask(await signed(claimsOf(randomUUID())), '/api/me', app)).status).toBe(401);
    expect((await ask(await signedBy(rsa), '/api/me', app)).status).toBe(401);
    expect((await ask(await signedBy(old_key, undefined, 'rsa'), '/api/me', app)).status).toBe(401);
    expect((await ask(await signedBy(old_key), '/api/me', app)).status).toBe(200);
  });

  test('are asked for again when a key is unknown, and not for each of many that are made up', async () => {
    let now_ms = 0;
    const next = await keyPair('ES256', 'new');
    const prove = signingKeys(`${issuer.url}/keys`, outboundMeans([issuer.host]), () => now_ms);
    const find = (kid: string) => prove({ alg: 'ES256', kid }, { payload: '', signature: '' });
    await find('old');
    keys = [old_key.jwk, next.jwk];
    for (let i = 0; i < 50; i++) await expect(find(`made-up-${i}`)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(issuer.got).toHaveLength(1);
    now_ms += 31_000;
    await Promise.all([find('new'), find('new'), find('old')]);
    expect(issuer.got).toHaveLength(2);
    now_ms += 11 * 60_000;
    await find('new');
    expect(issuer.got).toHaveLength(3);
    // Out of reach, they serve for a while, and then nobody can be proved.
    status = 500;
    now_ms += 11 * 60_000;
    await find('new');
    await expect(find('made-up')).rejects.toMatchObject({ code: 'identity_unavailable' });
    now_ms += 60 * 60_000;
    await expect(find('new')).rejects.toMatchObject({ code: 'identity_unavailable' });
    status = 200;
    now_ms += 6_000;
    await find('new');
  });

  test('out of reach are a 503 with a code, a time to wait and no address, never a 401', async () => {
    const token = await signedBy(old_key);
    const app = appWith();
    status = 503;
    const answer = await app.request('/api/me', { headers: { authorization: `Bearer ${token}` } });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    const body = await answer.json();
    expect(body).toMatchObject({ code: 'identity_unavailable' });
    expect(JSON.stringify(body)).not.toContain(issuer.host);
    // At once again: the issuer is left in peace for a moment.
    expect((await ask(token, '/api/me', app)).status).toBe(503);
    expect(issuer.got).toHaveLength(1);
    // Other ways in do not need it.
    expect((await app.request('/api/me', { headers: (await addCaller(db)).headers })).status).toBe(200);
  });

  test('inside of the network are reached as the operator wrote, which opens their host to no webhook of a member', async () => {
    const app = appWith();
    const token = await signedBy(old_key);
    const named = env.OUTBOUND_TRUSTED_HOSTS;
    onTestFinished(() => void Object.assign(env, { OUTBOUND_TRUSTED_HOSTS: named }));
    Object.assign(env, { OUTBOUND_TRUSTED_HOSTS: [] });
    expect((await ask(token, '/api/me', app)).status).toBe(200);
    const hooked = await app.request('/api/webhooks', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${issuer.url}/admin`, events: ['job.completed'] }),
    });
    expect([hooked.status, (await hooked.json()).details?.[0]?.path]).toEqual([400, 'url']);
    expect(issuer.got.map(({ path }) => path)).toEqual(['/keys']);
  });

  test('that are no key set are a 503', async () => {
    keys = 'none' as never;
    expect((await ask(await signedBy(old_key), '/api/me', appWith())).status).toBe(503);
  });
});
