import { realpath } from 'node:fs/promises';
import { env } from '#/env.ts';

/**
 * The folders of this host that its users hear of by a name alone: the data directory, local models, this installation and the
 * account's home; each as it is written and without links.
 */
export async function hostFolders(): Promise<Record<string, string>> {
  const named: [string, string][] = [
    [env.home_dir, '<home>'],
    [env.repo, '<lowrank>'],
    ...env.LOWRANK_MODEL_FOLDERS.map((folder): [string, string] => [folder, '<models>']),
    [env.data_dir, '<data>'],
  ];
  // Of a folder that is several of them the last name counts.
  const folders: Record<string, string> = {};
  for (const [folder, name] of named) {
    for (const one of [await realpath(folder).catch(() => folder), folder])
      if (one !== '/') folders[one.replace(/\/+$/, '')] = name;
  }
  return folders;
}
