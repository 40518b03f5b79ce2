import { makeClient, rememberLogin } from './api-client.ts';
import { askSecret } from './ask-secret.ts';

/** `lowrank login`: asks for an API key, tries it and keeps it in a file that only this account reads. */
export async function login(url: string): Promise<void> {
  const key = await askSecret(`API key for ${url} (made in the studio under Settings): `);
  const { user } = await makeClient(url, key).call<{ user: { name: string; email: string } }>('GET', '/api/me');
  await rememberLogin(url, key);
  console.log(`Signed in at ${url} as ${user.name} (${user.email})`);
}
