import { expect, test } from 'vitest';
import { loadingLines } from './model-loading.ts';

const checksum = 'f'.repeat(64);
const placeholders = (text: string) => [...text.matchAll(/"([^"]*path\/to[^"]*)"/g)].map((match) => match[1]);

test('a model of the Hub is named with its commit, and nothing is left to fill in', () => {
  const base_model = { name: 'SmolLM', hf_repo_id: 'a/b', revision: 'c'.repeat(40), checksum };
  const text = loadingLines({ base_model, adapter_folder: 'orders-1a2b3c4d', library: 'peft' });
  expect(text).toContain('BASE = "a/b"\n');
  expect(text).toContain(`from_pretrained(BASE, revision="${'c'.repeat(40)}", dtype="auto")`);
  expect(text).toContain('ADAPTER = "orders-1a2b3c4d"\n');
  expect(placeholders(text)).toEqual([]);
});

test('a local model is the one thing to fill in, and the lines say which folder it is', () => {
  const base_model = { name: 'lab/Ünï', hf_repo_id: null, revision: null, checksum };
  const text = loadingLines({ base_model, adapter_folder: 'run-1', library: 'peft' });
  expect(placeholders(text)).toEqual(['/path/to/\\u00dcn\\u00ef']);
  expect(text).toContain('base model "lab/\\u00dcn\\u00ef"');
  expect(text).toContain(`SHA-256 of its weights:\n# ${checksum}\n`);
  // A box beside another one has room for so much.
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(66);
});

test('an adapter of an image model is loaded by diffusers, onto the pipeline it was trained on', () => {
  const base_model = { name: 'SD', hf_repo_id: 'a/b', revision: 'c'.repeat(40), checksum };
  const text = loadingLines({ base_model, adapter_folder: 'toys-1a2b3c4d', library: 'diffusers' });
  expect(text).toContain(`DiffusionPipeline.from_pretrained(BASE, revision="${'c'.repeat(40)}")\n`);
  expect(text).toContain('load_lora_weights(\n    ADAPTER, weight_name="pytorch_lora_weights.safetensors"\n)');
  expect(text).not.toContain('PeftModel');
  expect(placeholders(text)).toEqual([]);
});
