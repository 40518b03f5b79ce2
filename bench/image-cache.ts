import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod';
import { env } from '#/env.ts';
import { printFigures } from './figures.ts';

const Answer = z.object({
  images: z.int(),
  megabytes: z.number(),
  grown_mb: z.number(),
  figures: z.array(z.object({ what: z.string(), images_per_second: z.number() })),
});

/** Photographs of six megapixels on their way into the latent cache of a training: decoding alone, building, checking. */
export async function benchImageCache(): Promise<void> {
  const PYTHONPATH = join(env.repo, 'trainer');
  const said = execFileSync(env.python, [join(import.meta.dirname, 'image_cache.py')], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH },
  });
  const { images, megabytes, grown_mb, figures } = Answer.parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''));
  printFigures(`Image cache: ${images} JPEGs of 6 megapixels, ${megabytes.toFixed(0)} MB`, [
    ...figures.map(({ what, images_per_second }) => ({ what, value: `${images_per_second.toPrecision(2)} images/s` })),
    { what: 'memory that all of it took at most', value: `${grown_mb.toFixed(0)} MB` },
  ]);
}
