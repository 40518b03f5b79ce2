import { createInterface } from 'node:readline/promises';
import { makeClient, rememberLogin } from './api-client.ts';

/** `lowrank login`: asks for an API key, tries it and keeps it in a file that only this account reads. */
export async function login(url: string): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const key = (await terminal.question(`API key for ${url} (made in the studio under Settings): `)).trim();
  terminal.close();
  const { user } = await makeClient(url, key).call<{ user: { name: string; email: string } }>('GET', '/api/me');
  await rememberLogin(url, key);
  console.log(`Signed in at ${url} as ${user.name} (${user.email})`);
}
