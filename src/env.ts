import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';

const flag = z
  .enum(['0', '1', 'false', 'true'])
  .default('0')
  .transform((value) => value === '1' || value === 'true');

const flagOn = z
  .enum(['0', '1', 'false', 'true'])
  .default('1')
  .transform((value) => value === '1' || value === 'true');

/** An address without a name, a secret or a query in it. */
const isPlainAddress = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return `${username}${password}${search}${hash}` === '';
};
const address = z.url({ protocol: /^https?$/ }).refine(isPlainAddress, 'must be an address alone, without keys or a query');
const bucket = z.string().regex(/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, 'must be the name of a bucket');

const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

const isOrigin = (text: string): boolean => /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;

/** Every variable that the product reads, with its default. A value that breaks its rule ends the process with a sentence. */
const Env = z.object({
  /** Where everything of this installation lies: database, files, runs, keys. */
  LOWRANK_DATA_DIR: z.string().default('data'),
  /** The owner's login of any PostgreSQL 15 to 18; absent means the server that comes with us. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  /** The address under which people reach us when something stands in front, e.g. https://lowrank.example.org */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Further Host names to answer for, comma-separated. */
  ALLOWED_HOSTS: list,
  /** Origins whose pages may call the API with a key, comma-separated, e.g. https://tools.example.org */
  ALLOWED_ORIGINS: list.refine((origins) => origins.every(isOrigin), 'must be origins such as https://tools.example.org'),
  /** Hosts (`name` or `name:port`) to which requests of people's own addresses may go by plain HTTP, at any port and inside of the network. */
  OUTBOUND_TRUSTED_HOSTS: list.refine(
    (hosts) => hosts.every((host) => /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(host)),
    'must be hosts such as hooks.internal or 10.0.0.7:8080',
  ),
  /** Say yes to plain HTTP on an address that others reach. */
  ALLOW_PLAIN_HTTP: flag,
  /** Anybody may sign up; without it people come by invitation. */
  OPEN_SIGN_UP: flag,
  /** Folders below which an administrator's local models may be registered, comma-separated. */
  LOWRANK_MODEL_FOLDERS: list,
  /** Bytes that one user's datasets, fetched models and artifacts may take, in GB; the setting of the same name wins. */
  LOWRANK_USER_QUOTA_GB: z.coerce.number().positive().default(50),
  /** Trainings that may run at once on the processor of a host without a GPU. */
  LOWRANK_CPU_SLOTS: z.coerce.number().int().min(1).max(64).default(1),
  /** Disk that uploads and downloads leave free for the database and for checkpoints, in GB. */
  LOWRANK_DISK_RESERVE_GB: z.coerce.number().min(0).default(1),
  /** A Supabase project whose people may come with its access tokens: its legacy JWT secret (HS256), or where its signing keys lie. */
  SUPABASE_JWT_SECRET: z.string().min(32, 'must be the whole secret, of at least 32 characters').optional(),
  SUPABASE_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** The algorithm of those signing keys. */
  SUPABASE_JWKS_ALGORITHM: z.enum(['ES256', 'RS256']).default('ES256'),
  /** What a token must name as its issuer, e.g. https://PROJECT.supabase.co/auth/v1 */
  SUPABASE_JWT_ISSUER: z.url({ protocol: /^https?$/ }).optional(),
  /** And as its audience. */
  SUPABASE_JWT_AUDIENCE: z.string().min(1).default('authenticated'),
  /** An S3 server on which datasets, adapters and fetched models lie; absent means the data directory. */
  LOWRANK_S3_ENDPOINT: address.optional(),
  LOWRANK_S3_REGION: z.string().min(1).default('us-east-1'),
  LOWRANK_S3_ACCESS_KEY_ID: z.string().min(1).optional(),
  LOWRANK_S3_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  /** Private buckets, which are there already. They may be the same one. */
  LOWRANK_S3_DATASETS_BUCKET: bucket.default('lora-datasets'),
  LOWRANK_S3_MODELS_BUCKET: bucket.default('lora-models'),
  /** The bucket stands in the address's path; 0 puts it into the host's name. */
  LOWRANK_S3_PATH_STYLE: flagOn,
  /** Send S3's own checksums along, which older servers refuse. */
  LOWRANK_S3_CHECKSUMS: flag,
  /** The address by which browsers reach the S3 server: downloads are sent there; absent means through the studio. */
  LOWRANK_S3_PUBLIC_ENDPOINT: address.optional(),
  HF_ENDPOINT: z.url({ protocol: /^https?$/ }).default('https://huggingface.co'),
  HF_TOKEN: z.string().optional(),
  /** For the command line: a studio elsewhere, and the key to speak to it with. */
  LOWRANK_URL: z.url({ protocol: /^https?$/ }).optional(),
  LOWRANK_API_KEY: z.string().min(1).optional(),
  /** The account that runs the embedded database when we are root. */
  LOWRANK_DATABASE_ACCOUNT: z.string().default('nobody'),
  /** Answer the API alone, without the built pages. */
  LOWRANK_WITHOUT_PAGES: flag,
  /** The web process's two logins: `start` hands their addresses to the server that it starts. */
  LOWRANK_WEB_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  LOWRANK_IDENTITY_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** The scheduler login's address: `start` hands it to the worker that it starts. */
  LOWRANK_SCHEDULER_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** The delivery login's address: `start` hands it to the worker, which sends webhooks. */
  LOWRANK_DELIVERY_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Where programs are looked for, for us and for what we start. */
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  /** Where this host's trainings live: processes, or containers of a Docker engine. */
  LOWRANK_EXECUTOR: z.enum(['process', 'docker']).default('process'),
  /** The image of a training that names none. */
  TRAINING_IMAGE: z
    .string()
    .regex(/^[a-z0-9][\w.:/@-]{0,254}$/, 'must be the name of an image')
    .default('training-image'),
  /** The Docker engine, as its own client finds it: unix:///… or tcp://…, the latter with the folder of its certificates. */
  DOCKER_HOST: z.string().optional(),
  DOCKER_CERT_PATH: z.string().optional(),
  /** The Python that runs trainings. */
  LOWRANK_PYTHON: z.string().optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Divides every promised time; fault tests run in seconds with it. */
  LOWRANK_TIME_DIVISOR: z.coerce.number().min(1).default(1),
  /** Named points at which a process ends or sleeps, for fault tests: name:kill, name:sleep=MS, name:throw. */
  LOWRANK_FAILPOINTS: list,
  /** Replaces the trainer program in fault tests. */
  LOWRANK_TRAINER: z.string().optional(),
  NODE_ENV: z.enum(['production', 'development', 'test']).default('production'),
  CI: flag,
});

/** By what an access token is judged: fixed here, never by what a token says of itself. */
export interface TokenRules {
  issuer: string;
  audience: string;
  key: { algorithm: 'HS256'; secret: string } | { algorithm: 'ES256' | 'RS256'; jwks_url: string };
}

export type Env = z.infer<typeof Env> & {
  /** Null where no Supabase project's tokens are taken. */
  token_rules: TokenRules | null;
  repo: string;
  data_dir: string;
  python: string;
  host_name: string;
  home_dir: string;
  inherited: NodeJS.ProcessEnv;
};

/** A variable that breaks its rule: whoever started us is told in a sentence. */
class EnvironmentError extends Error {
  readonly cure = 'Set the variable as docs/operations.md says, or leave it out.';
}

function tokenRules(set: z.infer<typeof Env>): TokenRules | null {
  const { SUPABASE_JWT_SECRET: secret, SUPABASE_JWKS_URL: jwks_url, SUPABASE_JWT_ISSUER: issuer } = set;
  if (secret !== undefined && jwks_url !== undefined)
    throw new EnvironmentError('SUPABASE_JWT_SECRET and SUPABASE_JWKS_URL are both set: tokens are judged by one of them');
  if (secret === undefined && jwks_url === undefined) {
    if (issuer === undefined) return null;
    throw new EnvironmentError('SUPABASE_JWT_ISSUER is set, but neither SUPABASE_JWKS_URL nor SUPABASE_JWT_SECRET');
  }
  if (issuer === undefined)
    throw new EnvironmentError(
      'SUPABASE_JWT_ISSUER is not set: a token must name its project, https://PROJECT.supabase.co/auth/v1',
    );
  const audience = set.SUPABASE_JWT_AUDIENCE;
  if (jwks_url !== undefined) return { issuer, audience, key: { algorithm: set.SUPABASE_JWKS_ALGORITHM, jwks_url } };
  return secret === undefined ? null : { issuer, audience, key: { algorithm: 'HS256', secret } };
}

function requireS3Key(set: z.infer<typeof Env>): void {
  const { LOWRANK_S3_ENDPOINT: endpoint, LOWRANK_S3_ACCESS_KEY_ID: key, LOWRANK_S3_SECRET_ACCESS_KEY: secret } = set;
  if (endpoint !== undefined && (key === undefined || secret === undefined))
    throw new EnvironmentError(
      'LOWRANK_S3_ENDPOINT is set: LOWRANK_S3_ACCESS_KEY_ID and LOWRANK_S3_SECRET_ACCESS_KEY go with it',
    );
}

function readEnv(): Env {
  const parsed = Env.safeParse(process.env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new EnvironmentError(
      `These environment variables break their rules (docs/operations.md has them):\n${lines.join('\n')}`,
    );
  }
  requireS3Key(parsed.data);
  const repo = resolve(import.meta.dirname, '..');
  return {
    ...parsed.data,
    token_rules: tokenRules(parsed.data),
    repo,
    data_dir: resolve(repo, parsed.data.LOWRANK_DATA_DIR),
    python: parsed.data.LOWRANK_PYTHON ?? join(repo, 'trainer/.venv/bin/python'),
    host_name: hostname(),
    home_dir: homedir(),
    /** The whole environment, for the studio's own processes: a training never gets it. */
    inherited: process.env,
  };
}

/** The process's environment, read once. Nothing else reads `process.env`. */
export const env: Env = readEnv();
