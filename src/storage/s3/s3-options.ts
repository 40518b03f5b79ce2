import { env } from '#/env.ts';

/** Where files lie on an S3 server, and how it is spoken to. */
export interface S3Options {
  endpoint: string;
  /** The address by which browsers reach the server: what they may fetch themselves is signed for it. Null: nothing. */
  public_endpoint: string | null;
  region: string;
  access_key_id: string;
  secret_access_key: string;
  /** What was received: datasets. */
  datasets_bucket: string;
  /** What was published: adapters and fetched models. May be the same one. */
  models_bucket: string;
  /** The bucket stands in the path, not in the host's name. */
  path_style: boolean;
  /** Each request also carries S3's own checksum of its bytes; older servers refuse that. */
  checksums: boolean;
}

/** What the environment says of an S3 server; null without one. */
export function s3Options(): S3Options | null {
  if (env.LOWRANK_S3_ENDPOINT === undefined) return null;
  return {
    endpoint: env.LOWRANK_S3_ENDPOINT,
    public_endpoint: env.LOWRANK_S3_PUBLIC_ENDPOINT ?? null,
    region: env.LOWRANK_S3_REGION,
    access_key_id: env.LOWRANK_S3_ACCESS_KEY_ID ?? '',
    secret_access_key: env.LOWRANK_S3_SECRET_ACCESS_KEY ?? '',
    datasets_bucket: env.LOWRANK_S3_DATASETS_BUCKET,
    models_bucket: env.LOWRANK_S3_MODELS_BUCKET,
    path_style: env.LOWRANK_S3_PATH_STYLE,
    checksums: env.LOWRANK_S3_CHECKSUMS,
  };
}
