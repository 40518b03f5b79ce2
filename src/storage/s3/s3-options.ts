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
