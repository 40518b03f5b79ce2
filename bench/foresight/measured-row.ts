/** What was measured and published of a training: one line of a file in rows/. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { AskedSwitches } from '#/domain/foresight/requests/asked-switches.ts';
import {
  ADAPTER_DTYPES,
  ATTENTIONS,
  LOSSES,
  OPTIMIZERS,
  PRECISIONS,
  QUANTIZATIONS,
  RUN_METHODS,
  STRATEGIES,
} from '#/domain/foresight/run-shape.ts';

const count = z.int().min(1);

/** As a line of `lowrank estimate` asks it, but with nothing left to a default: a published run had its own. */
const TextRequest = z.strictObject({
  model: z.union([z.string().min(1), z.record(z.string(), z.unknown())]),
  method: z.enum(RUN_METHODS),
  quantization: z.enum(QUANTIZATIONS),
  lora: z
    .strictObject({
      rank: count,
      targets: z.union([z.enum(['all-linear', 'attention']), z.array(z.string()).min(1)]),
      adapter_dtype: z.enum(ADAPTER_DTYPES),
      dropout: z.number().min(0).lt(1),
    })
    .optional(),
  seq_len: count,
  micro_batch: count,
  grad_accum: count,
  gradient_checkpointing: z.boolean(),
  optimizer: z.enum(OPTIMIZERS),
  attention: z.enum(ATTENTIONS),
  loss: z.enum(LOSSES),
  precision: z.enum(PRECISIONS),
  weights_dtype: z.enum(PRECISIONS),
  packing: z.boolean(),
  compile: z.boolean(),
  gpu: z.string().min(1),
  gpus: count,
  strategy: z.enum(STRATEGIES),
});

/** Habits of the library that ran, where the source or its code shows them. */
const Habits = AskedSwitches.required();

const Source = z
  .strictObject({
    repository: z.string().min(1).optional(),
    address: z.url().optional(),
    path: z.string().min(1).optional(),
    commit: z.string().min(7).optional(),
    date: z.string().min(4).optional(),
    /** What the figures are, and what of the setting is not in the request. */
    note: z.string().min(1),
  })
  .refine(({ repository, path, commit }) => repository === undefined || (path !== undefined && commit !== undefined), {
    message: 'a repository needs path and commit',
  })
  .refine(({ repository, address }) => repository !== undefined || address !== undefined, {
    message: 'needs a repository or an address',
  });

const Measured = z
  .strictObject({
    /** GB of 1e9 bytes, of one device. */
    memory_gb: z.number().positive().optional(),
    /** The counter: tensors alone, what the allocator holds, or what nvidia-smi sees. */
    memory_kind: z.enum(['allocated', 'reserved', 'device']).optional(),
    memory_unit_as_published: z.enum(['GiB', 'GB', 'MiB', 'bytes']).optional(),
    /** Of one optimizer step. */
    seconds_per_step: z.number().positive().optional(),
    /** Of all devices together. */
    tokens_per_second: z.number().positive().optional(),
    tokens_kind: z.enum(['padded', 'real', 'label', 'unknown']).optional(),
  })
  .refine((it) => (it.memory_gb === undefined) === (it.memory_kind === undefined || it.memory_unit_as_published === undefined), {
    message: 'memory_gb, memory_kind and memory_unit_as_published go together',
  })
  .refine((it) => it.memory_gb !== undefined || it.seconds_per_step !== undefined, { message: 'nothing is measured' });

const told = {
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  source: Source,
  measured: Measured,
  /** Fields of the request that the source does not say, or that stand for something near. */
  unsure: z.array(z.string()),
  /** A fault of what ran, known by its version, that no planner of today's libraries should foretell. */
  odd: z.string().min(1).optional(),
};

const TextRow = z.strictObject({ ...told, request: TextRequest, stack: Habits.optional() });
export type TextRow = z.infer<typeof TextRow>;

/** A training of an image model: its denoiser alone is on the device where latents and embeddings are cached. */
const ImageRow = z.strictObject({
  ...told,
  model_kind: z.literal('image'),
  request: z.strictObject({
    model: z.string().min(1),
    method: z.enum(['lora', 'lokr', 'dora', 'full']),
    rank: count.optional(),
    quantization: z.enum(['none', 'int8']),
    /** Pixels of a side. */
    resolution: count,
    batch: count,
    gradient_checkpointing: z.boolean(),
    encoders_cached: z.boolean(),
    optimizer: z.enum(OPTIMIZERS),
    precision: z.enum(PRECISIONS),
    compile: z.boolean(),
    gpu: z.string().min(1),
  }),
});

export type ImageRow = z.infer<typeof ImageRow>;

export const MeasuredRow = z.union([TextRow, ImageRow]);
export type MeasuredRow = z.infer<typeof MeasuredRow>;

const ROWS = join(import.meta.dirname, 'rows');

export function rowFiles(): string[] {
  return readdirSync(ROWS)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
}

/** Rows of one file; throws with file, line and rule where one breaks the schema. */
export function readRows(file: string): MeasuredRow[] {
  const lines = readFileSync(join(ROWS, file), 'utf8').split('\n');
  return lines.flatMap((line, at) => {
    if (line === '') return [];
    const read = MeasuredRow.safeParse(JSON.parse(line));
    if (read.success) return [read.data];
    throw new Error(`${file}:${at + 1}: ${z.prettifyError(read.error)}`);
  });
}
