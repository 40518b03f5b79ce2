/** One question of `lowrank estimate`: what a line of its input may say, and the training that it means. */
import * as z from 'zod';
import { DEFAULT_PRESET_ID, HYPERPARAMETER_PRESETS } from '../../hyperparameters.ts';
import { toldRule } from '../../told-rule.ts';
import type { DeviceFacts } from '../devices/hardware.ts';
import { findDevice, KNOWN_DEVICES } from '../devices/known-devices.ts';
import { findModel } from '../models/find-model.ts';
import type { LinearShape, ModelShape } from '../models/model-shape.ts';
import { linearsOf } from '../models/parameter-counts.ts';
import { type ShapeAnswer, shapeOf, TEXT_PART_ONLY } from '../models/shape-of-config.ts';
import { OUR_HABITS, ourPrecision, ourSwitches } from '../our-run.ts';
import {
  ADAPTER_DTYPES,
  type AdapterShape,
  ATTENTIONS,
  LOSSES,
  OPTIMIZERS,
  PRECISIONS,
  QUANTIZATIONS,
  RUN_METHODS,
  type RunShape,
  STRATEGIES,
} from '../run-shape.ts';
import { AskedSwitches, withAsked } from './asked-switches.ts';
import { inOurWords } from './asked-words.ts';

const whole = (name: string, max: number) => {
  const rule = toldRule(`must be a whole number from 1 to ${max}`);
  return z.int(rule).min(1, rule).max(max, rule).describe(name);
};
const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, toldRule(`must be one of ${words.join(', ')}`));
const truth = z.boolean(toldRule('must be true or false'));
const share = toldRule('must be a number from 0 to less than 1');

/** Names of matrices, as `target_modules` of PEFT takes them. */
const TARGETS_MAX = 100;
const TARGETS = `must be all-linear, attention, or a list of 1 to ${TARGETS_MAX} names of linear layers`;
const targets_rule = toldRule(TARGETS);
const name_rule = toldRule('must be the name of a linear layer');
const Targets = z.union(
  [
    z.enum(['all-linear', 'attention']),
    z.array(z.string(name_rule).min(1, name_rule).max(100, name_rule)).min(1, TARGETS).max(TARGETS_MAX, TARGETS),
  ],
  targets_rule,
);

const Lora = z.strictObject({
  rank: whole('of the adapter', 4096).optional(),
  targets: Targets.optional(),
  adapter_dtype: oneOf(ADAPTER_DTYPES).optional(),
  dropout: z.number(share).min(0, share).lt(1, share).optional(),
});

const id_rule = toldRule('must be a text of 1 to 200 characters or a whole number');
const model_rule = toldRule('must be a name of the catalogue or an object with the fields of a config.json');

/** A request of one line; a field that is absent, or null, is as our trainer does it. */
export const EstimateRequest = z.strictObject({
  id: z.union([z.string().min(1).max(200), z.int()], id_rule),
  model: z.union([z.string().min(1).max(200), z.record(z.string(), z.unknown())], model_rule),
  method: oneOf(RUN_METHODS).optional(),
  quantization: oneOf(QUANTIZATIONS).optional(),
  lora: Lora.optional(),
  seq_len: whole('tokens of the longest row of a batch', 4_194_304).optional(),
  micro_batch: whole('rows in one forward pass of one device', 65_536).optional(),
  grad_accum: whole('forward passes a step', 65_536).optional(),
  gradient_checkpointing: truth.optional(),
  optimizer: oneOf(OPTIMIZERS).optional(),
  attention: oneOf(ATTENTIONS).optional(),
  loss: oneOf(LOSSES).optional(),
  precision: oneOf(PRECISIONS).optional(),
  weights_dtype: oneOf(PRECISIONS).optional(),
  packing: truth.optional(),
  compile: truth.optional(),
  gpu: z.string(toldRule('must be the name of a device')).min(1).max(100).optional(),
  gpus: whole('devices', 4096).optional(),
  strategy: oneOf(STRATEGIES).optional(),
  /** Of another library than the trainer that comes along. */
  switches: AskedSwitches.optional(),
});
export type EstimateRequest = z.infer<typeof EstimateRequest>;

/** A request that cannot be planned: its field, and the rule with the way out. */
export class RequestFault extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.name = 'RequestFault';
    this.field = field;
  }
}

/** What a request means in the planner's words. */
export interface PlannedRequest {
  id: string | number;
  model: ModelShape;
  run: RunShape;
  device: DeviceFacts;
  /** Checkpointing was left out: on where it does not fit without, as we plan our own runs. */
  chooses_checkpointing: boolean;
  /** The base is quantized, and it was not said whether the rest of it becomes fp32. */
  may_upcast: boolean;
  /** Sentences: what was filled in or read otherwise than it was written. */
  assumptions: string[];
}

/** Rows and adapter of a request that does not say: those of the studio's default preset. */
const PRESET = HYPERPARAMETER_PRESETS[DEFAULT_PRESET_ID];
const SEQ_LEN = 2048;
const GPU = 'A100-80GB';

/** The planner's words for a request. Throws RequestFault. */
export function planRequest(request: EstimateRequest): PlannedRequest {
  const assumptions: string[] = [];
  const filled: string[] = [];
  /** The value, or its default, which is told. */
  const fill = <Value>(name: string, asked: Value | undefined, ours: Value): Value => {
    if (asked !== undefined) return asked;
    filled.push(`${name} ${String(ours)}`);
    return ours;
  };
  const device = deviceOf(fill('gpu', request.gpu, GPU));
  const whole_model = modelOf(request.model, assumptions);
  const method = fill('method', request.method, 'lora');
  const quantization = quantizationOf(request, method, fill);
  const model = quantization === 'none' ? whole_model : withExpertsApart(whole_model, assumptions);
  const precision = precisionOf(request, device, assumptions, filled);
  const run: RunShape = {
    method,
    quantization,
    adapter: adapterOf(request, { method, quantization, model, fill, assumptions }),
    seq_len: fill('seq_len', request.seq_len, SEQ_LEN),
    micro_batch: fill('micro_batch', request.micro_batch, PRESET.batch_size),
    grad_accum: fill('grad_accum', request.grad_accum, 1),
    trained_share: 1,
    gradient_checkpointing: request.gradient_checkpointing ?? false,
    optimizer: fill('optimizer', request.optimizer, OUR_HABITS.optimizer),
    attention: attentionOf(fill('attention', request.attention, OUR_HABITS.attention), device, precision, assumptions),
    loss: fill('loss', request.loss, OUR_HABITS.loss),
    precision,
    weights_dtype: fill('weights_dtype', request.weights_dtype, weightsDtype(method, precision)),
    packing: fill('packing', request.packing, false),
    compile: fill('compile', request.compile, OUR_HABITS.compile),
    ...devicesOf(request, fill, assumptions),
    switches: withAsked(ourSwitches(device), request.switches),
  };
  if (model.context !== null && run.seq_len > model.context)
    assumptions.push(`Its rows of ${run.seq_len} tokens are longer than the ${model.context} that the model was made for.`);
  if (filled.length > 0) assumptions.unshift(`Not said, so taken as our trainer does: ${filled.join(', ')}.`);
  assumptions.push('The loss is taken on every token.');
  return {
    id: request.id,
    model,
    run,
    device,
    chooses_checkpointing: request.gradient_checkpointing === undefined,
    may_upcast: quantization !== 'none' && run.weights_dtype !== 'fp32' && request.switches?.upcasts_frozen === undefined,
    assumptions,
  };
}

/** Who quantizes a model of experts quantizes them, and so holds each as a linear layer: transformers 5 fuses them and bitsandbytes leaves those in 16 bits. */
function withExpertsApart(model: ModelShape, assumptions: string[]): ModelShape {
  const isFused = (linear: LinearShape) => linear.part === 'expert' && !linear.is_module;
  if (!model.blocks.some(({ linears }) => linears.some(isFused))) return model;
  assumptions.push('Its experts are counted as quantized; transformers 5, which fuses them, would keep them in 16 bits.');
  const apart = (linear: LinearShape) => (isFused(linear) ? { ...linear, is_module: true } : linear);
  return { ...model, blocks: model.blocks.map((block) => ({ ...block, linears: block.linears.map(apart) })) };
}

type Fill = <Value>(name: string, asked: Value | undefined, ours: Value) => Value;

function deviceOf(name: string): DeviceFacts {
  const device = findDevice(name);
  if (device !== null) return device;
  throw new RequestFault('gpu', `There is no device ${name} in the table: ${KNOWN_DEVICES.map((one) => one.name).join(', ')}.`);
}

/** A catalogue has few models and a file many lines. */
const shapes = new Map<string, ShapeAnswer>();

function modelOf(asked: EstimateRequest['model'], assumptions: string[]): ModelShape {
  const read = typeof asked === 'string' ? shapeOfNamed(asked) : shapeOf(asked);
  if (!read.ok) throw new RequestFault('model', sentence(read.reason));
  assumptions.push(...read.assumptions);
  return read.shape;
}

function shapeOfNamed(name: string): ShapeAnswer {
  const found = findModel(name);
  if (!found.ok) return found;
  const read = shapes.get(found.model.name) ?? shapeOf(found.model.config);
  shapes.set(found.model.name, read);
  if (!read.ok || found.model.sees !== true) return read;
  return { ...read, assumptions: [...read.assumptions, TEXT_PART_ONLY] };
}

function quantizationOf({ quantization }: EstimateRequest, method: RunShape['method'], fill: Fill): RunShape['quantization'] {
  // Double quantization is the paper's QLoRA (arXiv 2305.14314, section 3) and what PEFT's guides, axolotl and ms-swift set.
  const found = fill('quantization', quantization, method === 'qlora' ? 'nf4-dq' : 'none');
  if (method === 'qlora' && found === 'none')
    throw new RequestFault('quantization', 'QLoRA is LoRA on a quantized base: say nf4, nf4-dq or int8, or method lora.');
  if (method === 'full' && found !== 'none')
    throw new RequestFault('quantization', 'Quantized weights cannot be trained: say none, or method qlora.');
  return found;
}

interface AdapterContext {
  method: RunShape['method'];
  quantization: RunShape['quantization'];
  model: ModelShape;
  fill: Fill;
  assumptions: string[];
}

function adapterOf(
  { lora }: EstimateRequest,
  { method, quantization, model, fill, assumptions }: AdapterContext,
): AdapterShape | null {
  if (method === 'full') {
    if (lora !== undefined) assumptions.push('A full fine-tune has no adapter: what lora says is not counted.');
    return null;
  }
  const targets = knownTargets(fill('lora.targets', lora?.targets, OUR_HABITS.targets), model, assumptions);
  // PEFT keeps adapters in fp32 on a 16-bit base (`autocast_adapter_dtype`), TRL makes them bf16 on a quantized one.
  const dtype = fill('lora.adapter_dtype', lora?.adapter_dtype, quantization === 'none' ? 'fp32' : 'bf16');
  return {
    rank: fill('lora.rank', lora?.rank, PRESET.rank),
    targets,
    dtype,
    dropout: fill('lora.dropout', lora?.dropout, PRESET.dropout),
  };
}

/** PEFT takes a list where any of its names is found; so do we, and say which are not. */
function knownTargets(targets: AdapterShape['targets'], model: ModelShape, assumptions: string[]): AdapterShape['targets'] {
  if (typeof targets === 'string') return targets;
  const known = targets.filter((name) => linearsOf(model, [name]).ok);
  const unknown = targets.filter((name) => !known.includes(name));
  const [first] = unknown;
  if (first === undefined) return targets;
  const lacking = linearsOf(model, [first]);
  const reason = lacking.ok ? '' : lacking.reason;
  if (known.length === 0) throw new RequestFault('lora.targets', sentence(reason));
  assumptions.push(`Not counted of the targets: ${unknown.join(', ')} (${reason}).`);
  return known;
}

function precisionOf(
  request: EstimateRequest,
  device: DeviceFacts,
  assumptions: string[],
  filled: string[],
): RunShape['precision'] {
  const found = ourPrecision(device, request.precision ?? null);
  if (request.precision === undefined) filled.push(`precision ${found}`);
  else if (request.precision !== found)
    assumptions.push(`${device.name} does not compute in ${request.precision}: planned in ${found}, as our trainer does.`);
  return found;
}

/** Our trainer loads the base in the precision that it computes in; what is trained in fp16 keeps fp32 weights. */
function weightsDtype(method: RunShape['method'], precision: RunShape['precision']): RunShape['weights_dtype'] {
  return method === 'full' && precision === 'fp16' ? 'fp32' : precision;
}

/** FlashAttention 2 wants an Ampere GPU or later and 16 bits (its README); elsewhere SDPA does the same. */
function attentionOf(
  asked: RunShape['attention'],
  device: DeviceFacts,
  precision: RunShape['precision'],
  assumptions: string[],
): RunShape['attention'] {
  if (asked !== 'flash' || (device.bf16_flops !== null && device.kind === 'gpu' && precision !== 'fp32')) return asked;
  assumptions.push(`FlashAttention does not run on ${device.name} in ${precision}: planned with sdpa.`);
  return 'sdpa';
}

function devicesOf(request: EstimateRequest, fill: Fill, assumptions: string[]): Pick<RunShape, 'gpus' | 'strategy'> {
  const gpus = fill('gpus', request.gpus, 1);
  const strategy = fill('strategy', request.strategy, gpus > 1 ? 'ddp' : 'none');
  if (gpus > 1 && strategy === 'none') {
    assumptions.push(`On ${gpus} devices without a strategy each holds the whole model: planned as ddp.`);
    return { gpus, strategy: 'ddp' };
  }
  if (gpus === 1 && strategy !== 'none') assumptions.push(`On one device ${strategy} shards nothing: say gpus for more.`);
  return { gpus, strategy };
}

/** A request as it came, with what is null taken as absent; one that breaks a rule throws RequestFault. */
export function readRequest(value: unknown): EstimateRequest {
  const given = withoutNulls(value);
  const parsed = EstimateRequest.safeParse(
    isRecord(given) ? inOurWords({ ...given, ...withoutNullsIn(given, 'lora'), ...withoutNullsIn(given, 'switches') }) : given,
  );
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new Error('a request was refused without a reason');
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys[0] ?? '';
    const fields = Object.keys(({ lora: Lora, switches: AskedSwitches }[path] ?? EstimateRequest).shape).join(', ');
    const field = path === '' ? unknown : `${path}.${unknown}`;
    throw new RequestFault(field, `There is no field ${field}: ${path === '' ? 'a request' : path} has ${fields}.`);
  }
  const absent = issue.path.length === 1 && isRecord(given) && given[path] === undefined;
  throw new RequestFault(path, absent ? `${path} is required.` : `${path === '' ? 'A request' : path} ${toldOf(issue.message)}.`);
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

const toldOf = (message: string): string => (message.startsWith('must ') ? message : `is refused: ${message}`);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const withoutNullsIn = (given: Record<string, unknown>, name: string): Record<string, unknown> =>
  isRecord(given[name]) ? { [name]: withoutNulls(given[name]) } : {};

function withoutNulls(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}
