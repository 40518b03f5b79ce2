import { describe, expect, it } from 'vitest';
import { nameFromFile, UploadOptions } from './dataset-options.ts';

const parse = (options: Record<string, unknown>) => UploadOptions.safeParse(options);

describe('a mapping', () => {
  it('is pairs or an object of fields that the trainer reads', () => {
    for (const mapping of [
      'prompt=question,completion=answer',
      ' prompt = question , completion=answer',
      '{"prompt":"question","completion":"answer"}',
    ])
      expect(parse({ mapping }).data?.mapping).toEqual({ prompt: 'question', completion: 'answer' });
    expect(parse({ mapping: '{"text":"a=b,c"}' }).data?.mapping).toEqual({ text: 'a=b,c' });
    expect(parse({ mapping: '' }).data?.mapping).toEqual({});
  });

  it('with another field is refused with the fields there are', () => {
    const issue = parse({ mapping: 'promt=question' }).error?.issues[0];
    expect(issue?.path).toEqual(['mapping', 'promt']);
    expect(issue?.message).toContain('prompt, completion');
  });

  it.each([
    'prompt',
    '=question',
    'prompt=a,prompt=b',
    '{"prompt":1}',
    '{',
    '[]',
    '{"__proto__":"x"}',
    'constructor=x',
    'prompt=',
  ])('that reads %j is refused', (mapping) => expect(parse({ mapping }).success).toBe(false));
});

it.each(['..', '.', '', '  ', 'a\0', 'a\nb', 'a\u202Eb', 'a\u2028b', 'x'.repeat(256), 'é'.repeat(128)])(
  'file name %j is refused',
  (file_name) => {
    expect(parse({ file_name }).success).toBe(false);
  },
);

it.each(['../../x.jsonl', 'CON', 'a:b', '-rf', '$(id)', 'x'.repeat(255), 'Überblick 1.jsonl'])(
  'file name %j is a label',
  (file_name) => {
    expect(parse({ file_name }).data?.file_name).toBe(file_name);
  },
);

it('says by name what it does not know', () => {
  expect(parse({ nmae: 'x' }).error?.issues[0]?.code).toBe('unrecognized_keys');
});

it('a dataset without a name is called by its file', () => {
  expect(nameFromFile('train.jsonl')).toBe('train');
  expect(nameFromFile('/home/x/train.v2.jsonl')).toBe('train.v2');
  expect(nameFromFile('C:\\data\\rows.json')).toBe('rows');
  expect(nameFromFile('.jsonl')).toBe('dataset');
  expect([...nameFromFile('x'.repeat(250))]).toHaveLength(120);
});
