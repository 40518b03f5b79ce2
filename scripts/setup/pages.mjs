// The built pages, made again when anything that they are made of has changed.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { step } from './progress.mjs';
import { plainEnvironment, runProgram } from './run-program.mjs';
import { dropStamp, hashOf, readStamp, writeStamp } from './stamps.mjs';

const STEP = 'pages';
const SOURCES = ['src/app', 'src/components', 'src/hooks', 'src/contract', 'src/domain', 'public', 'package-lock.json'];

/** What the pages are made of, with the configuration files at the top. @param {string} root */
function sources(root) {
  return [
    ...SOURCES,
    ...readdirSync(root)
      .filter((name) => /^(next|postcss)\.config\./.test(name))
      .sort(),
  ];
}

/**
 * Builds the pages unless the built ones are made of these sources.
 * @param {string} root
 */
export async function ensurePages(root) {
  if (!existsSync(join(root, 'src', 'app', 'layout.tsx'))) return;
  const hash = hashOf(root, sources(root));
  if (readStamp(root, STEP)?.sources === hash && existsSync(join(root, '.next', 'BUILD_ID'))) return;
  dropStamp(root, STEP);
  await step('Building the pages', (detail) =>
    runProgram('npm', ['run', '-s', 'build'], {
      cwd: root,
      env: { ...plainEnvironment(process.env), NEXT_TELEMETRY_DISABLED: '1' },
      on_line: detail,
      what: 'The pages could not be built',
      cure: 'The last lines above say where; `npm run build` shows all of it.',
    }),
  );
  writeStamp(root, STEP, { sources: hash });
}
