import { join } from 'node:path';
import type { Logger } from 'pino';
import { addressesOf, plainHttpDanger } from '#/http/addresses.ts';
import { createApi } from '#/http/api.ts';
import { makeLog } from '#/http/log.ts';
import { openServices, type WebLogins } from '#/http/open-services.ts';
import { pagePolicies } from '#/http/page-policy.ts';
import { drain, listen, type Pages, serve } from '#/http/web-server.ts';
import { env, type TokenRules } from './env.ts';

export interface ServerOptions {
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** Without pages only the API answers: for tests, which have no build. */
  pages: boolean;
  logins: WebLogins;
  data_dir: string;
  public_url?: string;
  allowed_hosts: string[];
  allowed_origins?: string[];
  allow_plain_http: boolean;
  open_sign_up: boolean;
  token_rules?: TokenRules | null;
  log: Logger;
  body_timeout_ms?: number;
}

export interface RunningServer {
  /** Where people reach it. */
  url: string;
  /** Ends in order: streams first, then what still runs, then the connections to the database. */
  close(): Promise<void>;
}

const BODY_TIMEOUT_MS = 15_000;

function refusePlainHttp(options: ServerOptions): void {
  const danger = plainHttpDanger(options.host, options.public_url);
  if (danger === null) return;
  if (!options.allow_plain_http) throw new Error(danger.refusal);
  options.log.warn(danger.warning);
}

/** The built pages. Throws a sentence when there is no build. */
async function loadPages(): Promise<Pages & { close(): Promise<void> }> {
  // Next reads these from the process's own environment.
  Object.assign(env.inherited, { NODE_ENV: env.NODE_ENV, NEXT_TELEMETRY_DISABLED: '1' });
  const policy = await pagePolicies(join(env.repo, '.next'));
  const { default: next } = await import('next');
  const app = next({ dev: false, dir: env.repo, quiet: true });
  await app.prepare().catch((cause: Error) => {
    throw new Error('The pages have not been built: run npm run build, then start again', { cause });
  });
  return { handle: app.getRequestHandler(), policy, close: () => app.close() };
}

/** Starts the web process in this one: one port for API, streams, uploads and pages. */
export async function runServer(options: ServerOptions): Promise<RunningServer> {
  refusePlainHttp(options);
  const { log } = options;
  const services = await openServices(options);
  const pages = options.pages ? await loadPages() : null;
  const { server, port } = await listen(options.host, options.port);
  const body_timeout_ms = options.body_timeout_ms ?? BODY_TIMEOUT_MS;
  const named = { public_url: options.public_url, hosts: options.allowed_hosts };
  const addresses = addressesOf({ host: options.host, port }, named);
  const { allowed_origins = [], open_sign_up } = options;
  const api = createApi({
    ...addresses,
    allowed_origins,
    open_sign_up,
    log,
    auth_secret: services.auth_secret,
    access_tokens: services.access_tokens,
    body_timeout_ms,
  });
  serve(server, { ...addresses, api, pages, body_timeout_ms, log });
  log.info({ url: addresses.base_url, port }, 'listening');
  return {
    url: addresses.base_url,
    async close() {
      await drain(server);
      await pages?.close();
      await services.close();
    },
  };
}

async function main(): Promise<void> {
  const log = makeLog(env.LOG_LEVEL);
  const { LOWRANK_WEB_URL: web, LOWRANK_IDENTITY_URL: identity } = env;
  if (web === undefined || identity === undefined) {
    throw new Error('LOWRANK_WEB_URL and LOWRANK_IDENTITY_URL are not set: npm start sets them; start the studio with it');
  }
  const running = await runServer({
    host: env.HOST,
    port: env.PORT,
    pages: !env.LOWRANK_WITHOUT_PAGES,
    logins: { web, identity },
    data_dir: env.data_dir,
    public_url: env.PUBLIC_URL,
    allowed_hosts: env.ALLOWED_HOSTS,
    allowed_origins: env.ALLOWED_ORIGINS,
    allow_plain_http: env.ALLOW_PLAIN_HTTP,
    open_sign_up: env.OPEN_SIGN_UP,
    token_rules: env.token_rules,
    log,
  });
  let ending = false;
  const end = (why: string) => {
    if (ending) return;
    ending = true;
    log.info({ why }, 'ending');
    void running.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'could not end in order');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));
  // Whoever started us is gone.
  process.on('disconnect', () => end('disconnect'));
  process.stdout.write(`${JSON.stringify({ ready: true, url: running.url })}\n`);
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
}
