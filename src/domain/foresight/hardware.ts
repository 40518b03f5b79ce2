/** What a kind of device can do, as the planner counts with it. */
export interface DeviceFacts {
  kind: 'gpu' | 'cpu';
  /** Bytes that the driver tells; less than the name promises. */
  memory_bytes: number;
  /** Bytes a second of its memory. */
  bandwidth: number;
  /** Dense operations a second with sums in fp32; null: it has no such arithmetic. */
  bf16_flops: number | null;
  fp16_flops: number;
  fp32_flops: number;
}
