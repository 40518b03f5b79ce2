/** The receiver of docs/webhooks.md, run as it is printed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { freePort } from '#/db/embedded/free-port.ts';
import { REPO } from './studio.ts';

const SECRET = `whsec_${Buffer.from('thirty-two bytes of a secret key').toString('base64')}`;

test('it takes what is signed, says what it was, and refuses everything else', async () => {
  const [, program = ''] = /^```ts\n(.*?)^```/ms.exec(readFileSync(join(REPO, 'docs/webhooks.md'), 'utf8')) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'lowrank-receiver-'));
  const port = await freePort();
  expect(program).toContain('.listen(8080)');
  writeFileSync(join(folder, 'receiver.mts'), program.replace('8080', String(port)));
  // As `npm init -y` leaves it: of the older kind of modules.
  writeFileSync(join(folder, 'package.json'), '{"type": "commonjs"}');
  symlinkSync(join(REPO, 'node_modules'), join(folder, 'node_modules'));
  const child = spawn(process.execPath, ['receiver.mts'], {
    cwd: folder,
    env: { ...process.env, LOWRANK_WEBHOOK_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const gone = new Promise((resolve) => child.once('close', resolve));
  const send = (body: string, signature: string, at: Date) =>
    fetch(`http://127.0.0.1:${port}/lowrank`, {
      method: 'POST',
      body,
      headers: {
        'webhook-id': 'id-1',
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': signature,
      },
    }).then(
      ({ status }) => status,
      () => `nobody listens: ${said}`,
    );
  try {
    const body = JSON.stringify({ type: 'job.completed', timestamp: new Date().toISOString(), data: { job_id: 'x' } });
    const at = new Date();
    const signed = new Webhook(SECRET).sign('id-1', at, body);
    await expect.poll(() => send(body, signed, at), { timeout: 20_000 }).toBe(204);
    await expect.poll(() => said).toMatch(/^id-1 job\.completed \{ job_id: 'x' \}$/m);
    expect(await send(`${body} `, signed, at)).toBe(401);
    expect(said).not.toMatch(/warning/i);
  } finally {
    child.kill();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  }
});
