import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const BYTES = 32;

/**
 * A secret of this installation: 32 random bytes, base64url, in a 0600 file of the data folder that is made at first use. Of
 * two processes that make it at once, both read the one that won. It never is in the database. `way_out` ends the sentence
 * about a damaged one.
 */
export async function installationSecret(data_dir: string, name: string, way_out: string): Promise<string> {
  const file = join(data_dir, name);
  const checked = (secret: string): string => {
    if (Buffer.from(secret, 'base64url').length >= BYTES) return secret;
    throw new Error(`${file} is damaged: ${way_out}`);
  };
  const known = await readFile(file, 'utf8').catch(ifMissing);
  if (known !== null) return checked(known);
  await mkdir(data_dir, { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(fresh, randomBytes(BYTES).toString('base64url'), { mode: 0o600, flush: true });
  try {
    await link(fresh, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(fresh, { force: true });
  }
  return checked(await readFile(file, 'utf8'));
}

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
