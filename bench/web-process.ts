/** The web process without pages: started by web.ts. */

import { env } from '#/env.ts';
import { makeLog } from '#/http/log.ts';
import { runServer } from '#/server.ts';

const running = await runServer({
  host: '127.0.0.1',
  port: 0,
  pages: false,
  logins: { web: env.LOWRANK_WEB_URL ?? '', identity: env.LOWRANK_IDENTITY_URL ?? '' },
  data_dir: env.data_dir,
  allowed_hosts: [],
  allow_plain_http: false,
  open_sign_up: false,
  log: makeLog('error'),
});
process.on('SIGTERM', () => void running.close().then(() => process.exit(0)));
process.stdout.write(`${JSON.stringify({ ready: true, url: running.url })}\n`);
