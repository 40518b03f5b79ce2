import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addressOf } from './api.ts';

const SOURCE = join(import.meta.dirname, '..');

/** Every file of the pages, without its comments. */
async function pagesCode(folders: string[]): Promise<[file: string, code: string][]> {
  const files = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(SOURCE, folder), { recursive: true }))
        .filter((name) => /\.tsx?$/.test(name) && !name.includes('.test.'))
        .map((name) => join(folder, name)),
    ),
  );
  return Promise.all(
    files.flat().map(async (file): Promise<[string, string]> => {
      const text = await readFile(join(SOURCE, file), 'utf8');
      return [file, text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')];
    }),
  );
}

describe('the pages', () => {
  test('name no path of the API but to the typed client, whose types are the document’s', async () => {
    const code = await pagesCode(['hooks', 'components', 'app']);
    expect(code.length).toBeGreaterThan(80);
    let typed = 0;
    const by_hand: string[] = [];
    for (const [file, text] of code) {
      const known = text.replaceAll(/\b(?:api\.(?:GET|POST|PATCH|PUT|DELETE)|addressOf)\(\s*'\/[^']*'/g, () => {
        typed++;
        return '';
      });
      for (const [path] of known.matchAll(/['"`]\/(?:api\/|openapi\.json|metrics\b)[^'"`]*/g)) by_hand.push(`${file}: ${path}`);
    }
    expect(by_hand).toEqual([]);
    expect(typed).toBeGreaterThan(30);
  });

  test('ask by the typed client alone, but for streams and for uploads, which tell how far they are', async () => {
    const asking = (await pagesCode(['hooks', 'components', 'app'])).filter(([, text]) =>
      /(?<![.\w])fetch\(|\?\? fetch\)|new (XMLHttpRequest|EventSource|WebSocket)\b|sendBeacon/.test(text),
    );
    expect(asking.map(([file]) => file).sort()).toEqual(['hooks/event-stream.ts', 'hooks/uploads.ts']);
  });
});

test('an address is filled in with what its path names, and nothing breaks out of it', () => {
  expect(addressOf('/api/jobs/{id}/stream', { id: 'a/b?c' })).toBe('/api/jobs/a%2Fb%3Fc/stream');
  expect(addressOf('/api/datasets/upload', {}, { file_name: 'a&b=c' })).toBe('/api/datasets/upload?file_name=a%26b%3Dc');
});
