import { expect, test } from 'vitest';
import { partingWords } from './demo.ts';

test('who breaks a demo off is told what ends, what goes on and where everything stays', () => {
  expect(partingWords('before', '/data').join('\n')).not.toMatch(/runs on|adapters/);
  const training = partingWords('training', '/data').join('\n');
  expect(training).toMatch(/Ending the studio.*\n.*training runs on by itself.*npm start.*\n.*stays.*\/data\./);
  const trained = partingWords('trained', '/data').join('\n');
  expect(trained).toMatch(/stays.*\/data, the adapter in adapters\//);
  expect(trained).not.toContain('runs on');
});
