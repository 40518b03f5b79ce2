/** What the devices that measured trainings ran on, or that the catalogue prices, can do: their figures and where those come from. */

export interface DeviceRow {
  /** What drivers and people call it besides, the size of its memory left out. */
  also: readonly string[];
  /** GB that its name or its maker promises. */
  gb: number;
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
// the host loses, as consumer cards need. Of the 3090 the geometric mean of the two boards that fsdp_qlora's rows tell of: an old one with
// two 3090s sends 3 GB/s, a workstation's 25.
export const DEVICE_ROWS = {
  'A100-80GB': {
    also: ['a100', 'a800'],
    gb: 80,
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
    also: ['a100-pcie', 'a800-pcie'],
    gb: 80,
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
    also: ['a100', 'a100-pcie', 'a100-40'],
    gb: 40,
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
    also: ['h800'],
    gb: 80,
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
    also: ['h800-pcie'],
    gb: 80,
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
    also: [],
    gb: 141,
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
    also: [],
    gb: 180,
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
    also: [],
    gb: 48,
    memory_gib: 44.34,
    bandwidth: 864,
    bf16: 362,
    fp16: 362,
    fp32: 91.6,
    // zzc0721/torch-performance-test-data, database.md, matmul: 269 TFLOPS
    efficiency: 0.74,
    stacks: 1,
    link: 25,
  },
  L4: {
    also: [],
    gb: 24,
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
    also: ['a10'],
    gb: 24,
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
    also: [],
    gb: 16,
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
    also: ['v100'],
    gb: 32,
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
    also: ['v100-pcie'],
    gb: 32,
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
    also: [],
    gb: 24,
    memory_gib: 23.56,
    bandwidth: 936,
    bf16: 71,
    fp16: 71,
    fp32: 35.6,
    // fsdp_qlora: a clock above the one that its peak is told at
    efficiency: 1.0,
    stacks: 1,
    link: 9,
  },
  'RTX-4090': {
    also: [],
    gb: 24,
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
    also: [],
    gb: 32,
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
    also: [],
    gb: 192,
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
} as const satisfies Record<string, DeviceRow>;
