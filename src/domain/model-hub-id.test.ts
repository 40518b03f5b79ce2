import { describe, expect, it } from 'vitest';
import { HubModelName, HubRepoId, HubRevision, splitHubModelName } from './model-hub-id.ts';

describe('a Hub id', () => {
  it.each(['HuggingFaceTB/SmolLM-135M', 'a/b', 'meta-llama/Llama-3.2-1B', 'openai-community/gpt2', '_x/y_'])(
    '%s is one',
    (id) => {
      expect(HubRepoId.safeParse(id).success).toBe(true);
    },
  );
  it.each([
    'a/b/c',
    '../x',
    'a/..',
    'a/.b',
    '-a/b',
    'a/b-',
    'a--b/c',
    'a/b..c',
    'gpt2',
    '',
    'a/',
    '/b',
    'https://huggingface.co/a/b',
    'file:///etc/passwd',
    '/models/x',
    './x',
    '~/x',
    'C:\\x',
    'a/b@main',
    'a/b:main',
    'a/b?revision=x',
    'st\u0430bilityai/sdxl',
    'a/b.git',
    'a/b\n',
    ` a/b`,
    `a/${'b'.repeat(95)}`,
  ])('%j is none', (id) => {
    expect(HubRepoId.safeParse(id).success).toBe(false);
  });
  it('given as an address or with a revision says what to do instead', () => {
    expect(HubRepoId.safeParse('https://huggingface.co/a/b').error?.issues[0]?.message).toContain('without the address');
    expect(HubRepoId.safeParse('a/b@main').error?.issues[0]?.message).toContain('"revision"');
  });
});

describe('a revision', () => {
  it.each(['main', 'v1.0', 'refs/pr/1', 'a'.repeat(40)])('%s is one', (revision) => {
    expect(HubRevision.safeParse(revision).success).toBe(true);
  });
  it.each(['', '../../x', 'a b', 'a//b', 'a/../b', '/a', 'a/', '-x', '.x', 'x'.repeat(300), 'a\n'])('%j is none', (revision) => {
    expect(HubRevision.safeParse(revision).success).toBe(false);
  });
});

describe('a model by name', () => {
  it.each([
    ['a/b', 'a/b', 'main'],
    ['a/b@main', 'a/b', 'main'],
    ['meta-llama/Llama-3.2-1B@refs/pr/7', 'meta-llama/Llama-3.2-1B', 'refs/pr/7'],
    ['a/b@c0ffee', 'a/b', 'c0ffee'],
  ])('%s is %s at %s', (text, hf_repo_id, revision) => {
    expect(HubModelName.safeParse(text).success).toBe(true);
    expect(splitHubModelName(text)).toEqual({ hf_repo_id, revision });
  });
  it.each(['', '@', 'a/b@', '@main', 'a/b@x y', 'a/b@../x', 'a/b@c@d', 'gpt2@main', 'https://huggingface.co/a/b', 'a/b c'])(
    '%j is none, for one reason',
    (text) => {
      expect(HubModelName.safeParse(text).error?.issues).toHaveLength(1);
    },
  );
});
