import { expect, test } from 'vitest';
import { nameFromModelFolder } from './model-folder-name.ts';

const COMMIT = 'a'.repeat(40);

test.each([
  ['/srv/models/smollm-135m', 'smollm-135m'],
  ['/srv/smollm/model', 'smollm'],
  [`/cache/hub/models--HuggingFaceTB--SmolLM-135M/snapshots/${COMMIT}`, 'HuggingFaceTB/SmolLM-135M'],
  ['/srv/models/model', 'model'],
  ['/model', 'model'],
  ['/a\u202eb', 'Local model'],
  [`/${'x'.repeat(200)}`, 'Local model'],
])('the model in %s is called %s', (path, name) => {
  expect(nameFromModelFolder(path)).toBe(name);
});
