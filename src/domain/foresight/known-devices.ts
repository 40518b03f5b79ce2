/** The devices that the planner knows by name; an installation's own device may be told to be like one of them. */
import type { DeviceFacts } from './hardware.ts';

const GIB = 2 ** 30;
const TERA = 1e12;
const GIGA = 1e9;

interface Row {
  /** What drivers and people call it besides. */
  also: readonly string[];
  /** GiB as torch tells them in an out-of-memory message; the lowest of those seen, for they differ by driver and ECC. */
  memory_gib: number;
  /** GB a second. */
  bandwidth: number;
  /** TFLOPS, dense, with sums in fp32; null: no such arithmetic. */
  bf16: number | null;
  fp16: number;
  /** TFLOPS of plain fp32: torch leaves TF32 off. */
  fp32: number;
  efficiency: number;
  /** Where it is not `ATTENTION_SHARE`. */
  attention_share?: number;
  stacks: number;
  /** GB a second, one direction. */
  link: number;
}

// Memory: "GPU 0 has a total capacity of … GiB" of torch in public GitHub issues. Peaks, bandwidths, NVLink and XGMI: vendors'
// datasheets, as the accelerator and network chapters of stas00/ml-engineering collect them. Consumer cards halve their
// tensor rate with fp32 sums, which is what counts here. PCIe: 32 GB/s of 4.0 ×16 (16 of 3.0, 64 of 5.0), less what a copy through
// the host loses, as consumer cards need; the 3090’s is that of fsdp_qlora’s machine with narrow slots.
const ROWS = {
  'A100-80GB': {
    also: ['a100', 'a100-sxm4-80gb', 'a800', 'a800-sxm4-80gb'],
    memory_gib: 79.15,
    bandwidth: 2039,
    bf16: 312,
    fp16: 312,
    fp32: 19.5,
    // ml-engineering, matmul: 271 TFLOPS
    efficiency: 0.87,
    stacks: 4,
    link: 300,
  },
  'A100-80GB-PCIe': {
    also: ['a100-80gb-pcie', 'a100-pcie-80gb'],
    memory_gib: 79.15,
    bandwidth: 1935,
    bf16: 312,
    fp16: 312,
    fp32: 19.5,
    // the same: 253
    efficiency: 0.81,
    stacks: 0,
    link: 25,
  },
  'A100-40GB': {
    also: ['a100-sxm4-40gb', 'a100-pcie-40gb', 'a100-40'],
    memory_gib: 39.38,
    bandwidth: 1555,
    bf16: 312,
    fp16: 312,
    fp32: 19.5,
    // as the 80 GB form
    efficiency: 0.87,
    stacks: 2,
    link: 300,
  },
  H100: {
    also: ['h100-sxm', 'h100-sxm5', 'h100-sxm5-80gb', 'h100-80gb-hbm3', 'h100-80gb', 'h800'],
    memory_gib: 79.1,
    bandwidth: 3350,
    bf16: 989,
    fp16: 989,
    fp32: 67,
    // ml-engineering, matmul: 795 at the best shape; llm-foundry's pre-training needs less, under its 700 W
    efficiency: 0.72,
    // FlashAttention-2 reaches 35 % of its peak (FlashAttention-3, arXiv 2407.08608, section 1)
    attention_share: 0.44,
    stacks: 2,
    link: 450,
  },
  'H100-PCIe': {
    also: ['h100-pcie-80gb'],
    memory_gib: 79.1,
    bandwidth: 2000,
    bf16: 756,
    fp16: 756,
    fp32: 51,
    // a guess: 350 W instead of 700
    efficiency: 0.7,
    attention_share: 0.44,
    stacks: 0,
    link: 50,
  },
  H200: {
    also: ['h200-sxm', 'h200-141gb'],
    memory_gib: 139.72,
    bandwidth: 4800,
    bf16: 989,
    fp16: 989,
    fp32: 67,
    // as an H100, whose arithmetic it has
    efficiency: 0.72,
    attention_share: 0.44,
    stacks: 0,
    link: 450,
  },
  B200: {
    also: ['b200-sxm', 'b200-180gb'],
    memory_gib: 178.35,
    bandwidth: 8000,
    bf16: 2250,
    fp16: 2250,
    fp32: 80,
    // ml-engineering, matmul: 1745
    efficiency: 0.78,
    attention_share: 0.44,
    stacks: 1,
    link: 900,
  },
  L40S: {
    also: ['l40s-48gb'],
    memory_gib: 44.34,
    bandwidth: 864,
    bf16: 362,
    fp16: 362,
    fp32: 91.6,
    // a guess
    efficiency: 0.7,
    stacks: 1,
    link: 25,
  },
  L4: {
    also: ['l4-24gb'],
    memory_gib: 22.03,
    bandwidth: 300,
    bf16: 121,
    fp16: 121,
    fp32: 30.3,
    // a guess: 72 W hold its clock far below the boost that the peak is told at
    efficiency: 0.5,
    stacks: 1,
    link: 25,
  },
  A10G: {
    also: ['a10', 'a10g-24gb', 'a10-24gb'],
    memory_gib: 22.03,
    bandwidth: 600,
    bf16: 70,
    fp16: 70,
    fp32: 31.5,
    // a guess
    efficiency: 0.85,
    stacks: 0,
    link: 25,
  },
  T4: {
    also: ['t4-16gb'],
    memory_gib: 14.56,
    bandwidth: 320,
    bf16: null,
    fp16: 65,
    fp32: 8.1,
    // a guess: 70 W hold its clock down
    efficiency: 0.45,
    stacks: 0,
    link: 12,
  },
  'V100-32GB': {
    also: ['v100', 'v100-sxm2-32gb', 'v100-sxm3-32gb'],
    memory_gib: 31.73,
    bandwidth: 900,
    bf16: null,
    fp16: 125,
    fp32: 15.7,
    // a guess
    efficiency: 0.75,
    stacks: 0,
    link: 150,
  },
  'V100-32GB-PCIe': {
    also: ['v100-pcie-32gb'],
    memory_gib: 31.73,
    bandwidth: 900,
    bf16: null,
    fp16: 112,
    fp32: 14,
    // a guess
    efficiency: 0.75,
    stacks: 0,
    link: 12,
  },
  'RTX-3090': {
    also: ['3090', 'rtx3090'],
    memory_gib: 23.56,
    bandwidth: 936,
    bf16: 71,
    fp16: 71,
    fp32: 35.6,
    // fsdp_qlora: a clock above the one that its peak is told at
    efficiency: 1.0,
    stacks: 1,
    link: 5,
  },
  'RTX-4090': {
    also: ['4090', 'rtx4090'],
    memory_gib: 23.52,
    bandwidth: 1008,
    bf16: 165,
    fp16: 165,
    fp32: 82.6,
    // the same, and torchtune
    efficiency: 1.05,
    stacks: 2,
    link: 25,
  },
  'RTX-5090': {
    also: ['5090', 'rtx5090'],
    memory_gib: 31.36,
    bandwidth: 1792,
    bf16: 210,
    fp16: 210,
    fp32: 104.8,
    // as a 4090
    efficiency: 1.0,
    stacks: 0,
    link: 30,
  },
  MI300X: {
    also: ['mi300x-oam', 'mi300x-192gb'],
    memory_gib: 191.69,
    bandwidth: 5300,
    bf16: 1307,
    fp16: 1307,
    fp32: 163.4,
    // ml-engineering, matmul: 668
    efficiency: 0.51,
    attention_share: 0.44,
    stacks: 0,
    link: 448,
  },
} as const satisfies Record<string, Row>;

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

function factsOf(name: string, row: Row): DeviceFacts {
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

export const KNOWN_DEVICES: readonly DeviceFacts[] = [
  ...Object.entries(ROWS).map(([name, row]) => factsOf(name, row)),
  cpuDevice(CPU_DEFAULT.cores, CPU_DEFAULT.memory_bytes),
];

/** As names are compared: without makers' and product lines' words, case and blanks. */
const keyOf = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_()]+/g, '-')
    .replace(/-$/, '')
    .replace(/(?<=-\d+)g$/, 'gb')
    .replaceAll(/\b(nvidia|geforce|tesla|amd|instinct)-?/g, '');

const BY_NAME = new Map(
  KNOWN_DEVICES.flatMap((facts) => {
    const also: readonly string[] = facts.kind === 'cpu' ? [] : ROWS[facts.name as keyof typeof ROWS].also;
    return [facts.name, ...also].map((name) => [keyOf(name), facts] as const);
  }),
);

/**
 * The device that a name means: the catalogue's (`A100-80GB`), what people write (`a100`, `rtx 4090`) or what the driver tells
 * (`NVIDIA A100-SXM4-80GB`; of a processor what `cpuName` makes). null where it is none of them.
 */
export function findDevice(name: string): DeviceFacts | null {
  const cores = coresOf(name);
  return cores === null ? (BY_NAME.get(keyOf(name)) ?? null) : cpuDevice(cores, CPU_DEFAULT.memory_bytes);
}
