import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { SignJWT } from 'jose';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { loginUrl } from '#/db/migrate.ts';
import { useDatabase } from '../../test/database.ts';
import { addPerson } from '../../test/factories.ts';

const db = useDatabase();

describe('the web process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lowrank-web-'));
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function launch(variables: Record<string, string>): ChildProcess {
    const { passwords } = inject('database');
    const logins = {
      LOWRANK_WEB_URL: loginUrl(db.owner_url, 'web', passwords),
      LOWRANK_IDENTITY_URL: loginUrl(db.owner_url, 'identity', passwords),
    };
    const child = spawn(process.execPath, [resolve('src/server.ts')], {
      env: { PATH: process.env.PATH, NODE_ENV: 'production', LOWRANK_DATA_DIR: folder, PORT: '0', ...logins, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  }

  test('refuses plain HTTP where others reach it, and says the two ways out', async () => {
    const child = launch({ HOST: '0.0.0.0' });
    const [said, [code]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), once(child, 'exit')]);
    expect(code).toBe(1);
    expect(said).toMatch(/PUBLIC_URL=https:.*ALLOW_PLAIN_HTTP=1/);
  });

  test('takes the access tokens of the project that its environment names, and says nothing of its secret', async () => {
    const SUPABASE_JWT_SECRET = 'the secret of the project in this environment';
    const SUPABASE_JWT_ISSUER = 'https://project.supabase.test/auth/v1';
    const child = launch({ LOWRANK_WITHOUT_PAGES: '1', SUPABASE_JWT_SECRET, SUPABASE_JWT_ISSUER });
    let said = '';
    child.stderr?.on('data', (chunk) => (said += chunk));
    const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string];
    const me = async (secret: string) => {
      const token = await new SignJWT({ role: 'authenticated' })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(randomUUID())
        .setIssuer(SUPABASE_JWT_ISSUER)
        .setAudience('authenticated')
        .setExpirationTime('1h')
        .sign(new TextEncoder().encode(secret));
      return (await fetch(`${JSON.parse(line).url}/api/me`, { headers: { authorization: `Bearer ${token}` } })).status;
    };
    expect([await me(SUPABASE_JWT_SECRET), await me(SUPABASE_JWT_SECRET.toUpperCase())]).toEqual([200, 401]);
    expect(said).not.toMatch(/the secret of the project|eyJ/);
  });

  const joining = JSON.stringify({ email: 'ada@example.org', password: 'a long enough secret' });

  test('behind PUBLIC_URL says that address, answers under its name alone, and its cookie is for https', async () => {
    const variables = { LOWRANK_WITHOUT_PAGES: '1', PUBLIC_URL: 'https://studio.example.org', OPEN_SIGN_UP: '1' };
    const child = launch({ HOST: '0.0.0.0', ...variables });
    const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
    const [[ready], [said]] = (await Promise.all([
      once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line'),
      once(lines, 'line'),
    ])) as [[string], [string]];
    expect(JSON.parse(ready)).toEqual({ ready: true, url: 'https://studio.example.org' });
    // No warning comes first: TLS stands in front.
    const { msg, port } = JSON.parse(said) as { msg: string; port: number };
    expect(msg).toBe('listening');
    const join = (name: string) => {
      const socket = connect(port, '127.0.0.1');
      const headers = [`Host: ${name}`, `Origin: https://${name}`, 'Content-Type: application/json', 'Connection: close'];
      socket.write(
        `POST /api/sign-up HTTP/1.1\r\n${headers.join('\r\n')}\r\nContent-Length: ${joining.length}\r\n\r\n${joining}`,
      );
      return text(socket);
    };
    expect(await join('other.example.org')).toMatch(/^HTTP\/1\.1 421 /);
    await addPerson(db, { role: 'administrator' });
    const joined = await join('studio.example.org');
    expect(joined).toMatch(/^HTTP\/1\.1 201 /);
    expect(joined).toMatch(/^set-cookie: __Host-lowrank\.session=.*; Secure/im);
  });

  test('lets nobody sign up freely unless OPEN_SIGN_UP says so', async () => {
    const child = launch({ LOWRANK_WITHOUT_PAGES: '1' });
    const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string];
    const headers = { 'Content-Type': 'application/json' };
    const refused = await fetch(`${JSON.parse(line).url}/api/sign-up`, { method: 'POST', headers, body: joining });
    expect([refused.status, (await refused.json()).code]).toEqual([403, 'invitation_required']);
  });

  test('says one ready line, answers, and ends with 0 at SIGTERM', async () => {
    const child = launch({ LOWRANK_WITHOUT_PAGES: '1' });
    const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string];
    const ready = JSON.parse(line) as { ready: boolean; url: string };
    expect(ready).toEqual({ ready: true, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
    expect((await fetch(`${ready.url}/api/ready`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
