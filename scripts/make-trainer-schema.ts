/** Writes trainer/schema/*.schema.json from the domain's Zod schemas: `node scripts/make-trainer-schema.ts`. */
import { writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { TrainerConfig } from '#/domain/trainer-config.ts';
import { TrainerEvent } from '#/domain/trainer-events.ts';
import { TrainerHello } from '#/domain/trainer-hello.ts';

const folder = new URL('../trainer/schema/', import.meta.url);

const render = (title: string, schema: z.ZodType, io: 'input' | 'output' = 'output') =>
  `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io }) }, null, 2)}\n`;

/** File name to content, as it has to lie in trainer/schema. */
export const trainerSchemas: Record<string, string> = {
  'config.schema.json': render('Lowrank trainer config.json', TrainerConfig),
  'event.schema.json': render('One line of a Lowrank trainer events.jsonl', TrainerEvent),
  // As it may come in: fields that we do not know are a newer trainer's.
  'hello.schema.json': render('What a Lowrank trainer says with --hello', TrainerHello, 'input'),
};

if (import.meta.main) {
  for (const [name, content] of Object.entries(trainerSchemas)) await writeFile(new URL(name, folder), content);
}
