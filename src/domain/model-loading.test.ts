import { expect, test } from 'vitest';
import { loadingLines } from './model-loading.ts';

const checksum = 'f'.repeat(64);
const placeholders = (text: string) => [...text.matchAll(/"([^"]*path\/to[^"]*)"/g)].map((match) => match[1]);

test('a model of the Hub is named with its commit, and nothing is left to fill in', () => {
  const base_model = { name: 'SmolLM', hf_repo_id: 'a/b', revision: 'c'.repeat(40), checksum };
  const text = loadingLines({ base_model, adapter_folder: 'orders-1a2b3c4d' });
  expect(text).toContain('BASE = "a/b"\n');
  expect(text).toContain(`from_pretrained(BASE, revision="${'c'.repeat(40)}", dtype="auto")`);
  expect(text).toContain('ADAPTER = "orders-1a2b3c4d"\n');
  expect(placeholders(text)).toEqual([]);
});

test('a local model is the one thing to fill in, and the lines say which folder it is', () => {
  const base_model = { name: 'lab/Ünï', hf_repo_id: null, revision: null, checksum };
  const text = loadingLines({ base_model, adapter_folder: 'run-1' });
  expect(placeholders(text)).toEqual(['/path/to/\\u00dcn\\u00ef']);
  expect(text).toContain('base model "lab/\\u00dcn\\u00ef"');
  expect(text).toContain(`SHA-256 of its weights:\n# ${checksum}\n`);
  // A box beside another one has room for so much.
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(66);
});
