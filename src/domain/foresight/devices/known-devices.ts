/** The devices that the planner knows by name; an installation's own device may be told to be like one of them. */
import { DEVICE_ROWS, type DeviceRow } from './device-rows.ts';
import { FURTHER_DEVICE_ROWS } from './further-device-rows.ts';
import type { DeviceFacts } from './hardware.ts';

const GIB = 2 ** 30;
const TERA = 1e12;
const GIGA = 1e9;

/** FlashAttention-2 reaches 50 to 73 % of an A100's peak (arXiv 2307.08691, section 4.1), products 87 %. */
const ATTENTION_SHARE = 0.7;
/** Fitted to the rows of bench/foresight that its split calls `tune`: hosts of 2023 to 2025, Python and autograd included. */
const LAUNCH_S = 20e-6;

/**
 * What one core does in a training, fitted to the CPU seconds of our trainer's own steps on one core of an AMD EPYC (Zen 5, fp32, torch
 * 2.13, LoRA on a Llama of 8 × 256 and one of SmolLM-135M's shape, 136 to 544 tokens). Bytes are those that caches hold, too.
 */
const CPU_CORE = { fp32_flops: 68 * GIGA, bandwidth: 42 * GIGA } as const;
/** Operations of bf16 and fp16 against fp32, measured here: matrix products with AVX-512 BF16; there is no arithmetic in fp16. */
const CPU_BF16 = 2;
const CPU_FP16 = 0.2;
/** Cores help each other less the more they are: 46 s a run of the 135M with one thread, 33 s with two (docs/benchmarks.md). */
const CPU_SHARING = 0.6;
/** Of a model with two blocks of 32: 7.9 ms a step, next to all of it starts of kernels. */
const CPU_LAUNCH_S = 15e-6;

/** Where nobody said how many: those of a small server. */
const CPU_DEFAULT = { cores: 8, memory_bytes: 32 * GIB };

/** A processor of so many cores, with the memory that a run may fill. */
export function cpuDevice(cores: number, memory_bytes: number): DeviceFacts {
  const shared = cores ** CPU_SHARING;
  const fp32_flops = shared * CPU_CORE.fp32_flops;
  return {
    name: 'CPU',
    kind: 'cpu',
    memory_bytes,
    bandwidth: shared * CPU_CORE.bandwidth,
    bf16_flops: CPU_BF16 * fp32_flops,
    fp16_flops: CPU_FP16 * fp32_flops,
    fp32_flops,
    // Both are in what was measured.
    efficiency: 1,
    attention_share: 1,
    stacks: 1,
    launch_s: CPU_LAUNCH_S,
    link: 5 * GIGA,
  };
}

/** The name of a processor that tells its cores, and the cores of such a name. */
export const cpuName = (model: string, cores: number): string => `${model}, ${cores} ${cores === 1 ? 'core' : 'cores'}`;
const coresOf = (name: string): number | null => {
  const told = /, (\d{1,4}) cores?$/.exec(name.trim())?.[1];
  return told === undefined || Number(told) < 1 ? null : Number(told);
};

function factsOf(name: string, row: DeviceRow): DeviceFacts {
  return {
    name,
    kind: 'gpu',
    memory_bytes: Math.round(row.memory_gib * GIB),
    bandwidth: row.bandwidth * GIGA,
    bf16_flops: row.bf16 === null ? null : row.bf16 * TERA,
    fp16_flops: row.fp16 * TERA,
    fp32_flops: row.fp32 * TERA,
    efficiency: row.efficiency,
    attention_share: row.attention_share ?? ATTENTION_SHARE,
    stacks: row.stacks,
    launch_s: LAUNCH_S,
    link: row.link * GIGA,
  };
}

const ROWS: ReadonlyArray<[string, DeviceRow]> = Object.entries({ ...DEVICE_ROWS, ...FURTHER_DEVICE_ROWS });

export const KNOWN_DEVICES: readonly DeviceFacts[] = [
  ...ROWS.map(([name, row]) => factsOf(name, row)),
  cpuDevice(CPU_DEFAULT.cores, CPU_DEFAULT.memory_bytes),
];

const MAKERS =
  /^(?:nvidia|geforce|tesla|quadro|amd|instinct|rtx|gpu|graphics|card|generation|blackwell|edition|server|workstation)$/;
/** The form that a device without another word has: sockets and stacks of memory. */
const FORMS = /^(?:sxm\d?|oam|hbm\d?e?)$/;
const SIZE = /^(\d{1,3})gi?b?$/;

/** A name as names are compared: its words without makers' and product lines', in one order, and the GB that it tells. */
function wordsOf(name: string): { key: string; gb: number | null } {
  const words = name
    .toLowerCase()
    // 40 GB; RTX4090, 4070Ti
    .replaceAll(/(?<=\d)\s+(?=gi?b\b)/g, '')
    .replaceAll(/rtx(?=\d)|(?<=\d{4})(?=ti\b|super\b)/g, '$& ')
    .split(/[\s_()/-]+/)
    .filter((word) => word !== '' && !MAKERS.test(word) && !FORMS.test(word));
  const sizes = words.flatMap((word) => SIZE.exec(word)?.[1] ?? []);
  const rest = words.filter((word) => !SIZE.test(word));
  return { key: rest.toSorted().join(' '), gb: sizes.length === 1 ? Number(sizes[0]) : null };
}

const NAMED = ROWS.flatMap(([name, row]) =>
  [name, ...row.also].map((each) => ({ key: wordsOf(each).key, told: wordsOf(each).gb ?? row.gb, name })),
);
/** The first of a name is that which has no size beside it. */
const BY_WORDS = Map.groupBy(NAMED, ({ key }) => key);
const BY_NAME = new Map(KNOWN_DEVICES.map((facts) => [facts.name, facts]));

/**
 * The device that a name means: the catalogue's (`A100-80GB`), what people write (`a100`, `rtx 4090`, `H100 SXM5 80GB`) or what the
 * driver tells (`NVIDIA A100-SXM4-80GB`; of a processor what `cpuName` makes). null where it is none of them, or none of that memory.
 */
export function findDevice(name: string): DeviceFacts | null {
  const cores = coresOf(name);
  if (cores !== null) return cpuDevice(cores, CPU_DEFAULT.memory_bytes);
  const { key, gb } = wordsOf(name);
  if (key === 'cpu') return BY_NAME.get('CPU') ?? null;
  const found = BY_WORDS.get(key)?.find(({ told }) => gb === null || gb === told);
  return found === undefined ? null : (BY_NAME.get(found.name) ?? null);
}

/** The planner's own name of what a name means, by which it is found again: `RTX-4090`, `CPU, 2 cores`; null where it knows none. */
export function knownName(name: string): string | null {
  const [known, cores] = [findDevice(name), coresOf(name)];
  return known === null || cores === null ? (known?.name ?? null) : cpuName(known.name, cores);
}
