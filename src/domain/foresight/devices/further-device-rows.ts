/** Devices that no published training was held against: their figures are datasheets', their efficiency that of a device like them. */
import { DEVICE_ROWS, type DeviceRow } from './device-rows.ts';

interface Told extends Pick<DeviceRow, 'gb' | 'memory_gib' | 'bandwidth' | 'fp32'> {
  also?: readonly string[];
  /** TFLOPS of bf16 and fp16, dense, with sums in fp32. */
  tensor: number;
  /** It has no bf16. */
  fp16_only?: true;
  /** Whose share of its peak it is counted to reach. */
  like: keyof typeof DEVICE_ROWS;
  /** That share where somebody measured it. */
  efficiency?: number;
  link?: number;
}

/** GB a second of PCIe 4.0 × 16 as the other rows count it. */
const PCIE4 = 25;

function row({ also = [], tensor, fp16_only, like, efficiency, link = PCIE4, ...told }: Told): DeviceRow {
  const known: DeviceRow = DEVICE_ROWS[like];
  return {
    ...told,
    also,
    bf16: fp16_only ? null : tensor,
    fp16: tensor,
    efficiency: efficiency ?? known.efficiency,
    ...(known.attention_share === undefined ? {} : { attention_share: known.attention_share }),
    stacks: 0,
    link,
  };
}

// Peaks and bandwidths: NVIDIA's datasheets and its whitepapers of GA102 (appendix A), Ada and Blackwell, "with FP32 accumulate": twice
// plain fp32 on GeForce, four times on RTX A and RTX Ada, where nothing is halved; AMD's datasheets. Memory: "total capacity of … GiB"
// of torch in public issues, the lowest seen; A5000, 3090 Ti, 4070 and P100: guessed from a card of the same size. Measured
// efficiencies: products of 10,240² at most, zzc0721/torch-performance-test-data, database.md. The others are guesses.
export const FURTHER_DEVICE_ROWS = {
  // Two dies are two devices to torch: one of them.
  'MI250X-GCD': row({
    also: ['mi250x'],
    gb: 64,
    memory_gib: 63.98,
    bandwidth: 1638,
    tensor: 191.5,
    fp32: 23.9,
    like: 'MI300X',
    link: 50,
  }),
  'MI250-GCD': row({
    also: ['mi250'],
    gb: 64,
    memory_gib: 63.98,
    bandwidth: 1638,
    tensor: 181,
    fp32: 22.6,
    like: 'MI300X',
    link: 50,
  }),
  MI210: row({ gb: 64, memory_gib: 63.98, bandwidth: 1638, tensor: 181, fp32: 22.6, like: 'MI300X' }),
  // ml-engineering, matmul: 785 of 1300
  MI325X: row({
    gb: 256,
    memory_gib: 255.69,
    bandwidth: 6000,
    tensor: 1307,
    fp32: 163.4,
    like: 'MI300X',
    efficiency: 0.6,
    link: 448,
  }),
  // Its memory is a guess: as much less than 288 GB as a B200 has less than 192.
  B300: row({ gb: 288, memory_gib: 267, bandwidth: 8000, tensor: 2250, fp32: 80, like: 'B200', link: 900 }),
  GH200: row({
    also: ['gh200-480gb'],
    gb: 96,
    memory_gib: 94.5,
    bandwidth: 4000,
    tensor: 989,
    fp32: 67,
    like: 'H100',
    link: 450,
  }),
  'H100-NVL': row({ gb: 94, memory_gib: 93.0, bandwidth: 3938, tensor: 835, fp32: 60, like: 'H100-PCIe', link: 300 }),
  // Measured: 142 of 148
  H20: row({ gb: 96, memory_gib: 95.0, bandwidth: 4000, tensor: 148, fp32: 44, like: 'H100', efficiency: 0.96, link: 450 }),
  // Measured: 417 of 504
  'RTX-PRO-6000': row({
    also: ['rtx-pro-6000-blackwell', 'pro-6000-blackwell'],
    gb: 96,
    memory_gib: 94.96,
    bandwidth: 1792,
    tensor: 503.8,
    fp32: 126,
    like: 'L40S',
    efficiency: 0.83,
    link: 50,
  }),
  L40: row({ gb: 48, memory_gib: 44.34, bandwidth: 864, tensor: 181, fp32: 90.5, like: 'L40S' }),
  'RTX-6000-Ada': row({ gb: 48, memory_gib: 44.43, bandwidth: 960, tensor: 364, fp32: 91.1, like: 'L40S' }),
  // Measured: 123 of 155
  'RTX-A6000': row({ gb: 48, memory_gib: 47.5, bandwidth: 768, tensor: 154.8, fp32: 38.7, like: 'A10G', efficiency: 0.8 }),
  'RTX-A5000': row({ gb: 24, memory_gib: 23.5, bandwidth: 768, tensor: 111.1, fp32: 27.8, like: 'A10G', efficiency: 0.8 }),
  'RTX-A4000': row({ gb: 16, memory_gib: 15.6, bandwidth: 448, tensor: 76.7, fp32: 19.2, like: 'A10G', efficiency: 0.8 }),
  A40: row({ gb: 48, memory_gib: 44.34, bandwidth: 696, tensor: 149.7, fp32: 37.4, like: 'A10G', efficiency: 0.8 }),
  A30: row({ gb: 24, memory_gib: 23.5, bandwidth: 933, tensor: 165, fp32: 10.3, like: 'A100-80GB-PCIe' }),
  'V100-16GB': row({
    also: ['v100'],
    gb: 16,
    memory_gib: 15.77,
    bandwidth: 900,
    tensor: 125,
    fp16_only: true,
    fp32: 15.7,
    like: 'V100-32GB',
    link: 150,
  }),
  'V100-16GB-PCIe': row({
    also: ['v100-pcie'],
    gb: 16,
    memory_gib: 15.77,
    bandwidth: 900,
    tensor: 112,
    fp16_only: true,
    fp32: 14,
    like: 'V100-32GB',
    link: 12,
  }),
  // No tensor cores: fp16 with sums in fp32 goes as fp32 does, as that list measured of a P40.
  P100: row({
    also: ['p100-pcie', 'p100-sxm2'],
    gb: 16,
    memory_gib: 15.89,
    bandwidth: 732,
    tensor: 9.3,
    fp16_only: true,
    fp32: 9.3,
    like: 'V100-32GB',
    link: 12,
  }),
  'RTX-5080': row({ gb: 16, memory_gib: 15.48, bandwidth: 960, tensor: 112.6, fp32: 56.3, like: 'RTX-5090', link: 30 }),
  'RTX-5070-Ti': row({ gb: 16, memory_gib: 15.48, bandwidth: 896, tensor: 87.9, fp32: 43.9, like: 'RTX-5090', link: 30 }),
  'RTX-5070': row({ gb: 12, memory_gib: 11.49, bandwidth: 672, tensor: 61.7, fp32: 30.9, like: 'RTX-5090', link: 30 }),
  'RTX-4080': row({
    also: ['4080-super'],
    gb: 16,
    memory_gib: 15.57,
    bandwidth: 717,
    tensor: 97.5,
    fp32: 48.7,
    like: 'RTX-4090',
  }),
  'RTX-4070-Ti': row({ gb: 12, memory_gib: 11.6, bandwidth: 504, tensor: 80.2, fp32: 40.1, like: 'RTX-4090' }),
  // Measured: 77 of 71
  'RTX-4070-Super': row({ gb: 12, memory_gib: 11.6, bandwidth: 504, tensor: 70.9, fp32: 35.5, like: 'RTX-4090' }),
  'RTX-4070': row({ gb: 12, memory_gib: 11.6, bandwidth: 504, tensor: 58.3, fp32: 29.1, like: 'RTX-4090' }),
  // Measured: 43 of 44
  'RTX-4060-Ti-16GB': row({
    also: ['4060-ti'],
    gb: 16,
    memory_gib: 15.57,
    bandwidth: 288,
    tensor: 44.1,
    fp32: 22.1,
    like: 'RTX-4090',
    efficiency: 0.97,
    link: 12,
  }),
  'RTX-4060-Ti-8GB': row({
    also: ['4060-ti'],
    gb: 8,
    memory_gib: 7.6,
    bandwidth: 288,
    tensor: 44.1,
    fp32: 22.1,
    like: 'RTX-4090',
    efficiency: 0.97,
    link: 12,
  }),
  'RTX-4060': row({ gb: 8, memory_gib: 7.6, bandwidth: 272, tensor: 30.2, fp32: 15.1, like: 'RTX-4090', link: 12 }),
  'RTX-3090-Ti': row({ gb: 24, memory_gib: 23.5, bandwidth: 1008, tensor: 80, fp32: 40, like: 'RTX-3090' }),
  'RTX-3080-Ti': row({ gb: 12, memory_gib: 11.6, bandwidth: 912, tensor: 68.2, fp32: 34.1, like: 'RTX-3090' }),
  'RTX-3080': row({ gb: 10, memory_gib: 9.7, bandwidth: 760, tensor: 59.5, fp32: 29.8, like: 'RTX-3090' }),
  'RTX-3070': row({ gb: 8, memory_gib: 7.6, bandwidth: 448, tensor: 40.6, fp32: 20.3, like: 'RTX-3090' }),
  'RTX-3060': row({ gb: 12, memory_gib: 11.6, bandwidth: 360, tensor: 25.5, fp32: 12.7, like: 'RTX-3090' }),
  'RTX-2080-Ti': row({
    gb: 11,
    memory_gib: 10.56,
    bandwidth: 616,
    tensor: 53.8,
    fp16_only: true,
    fp32: 13.4,
    like: 'V100-32GB',
    link: 12,
  }),
} as const satisfies Record<string, DeviceRow>;
