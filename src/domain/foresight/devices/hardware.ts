/** What a kind of device can do, as the planner counts with it. */
export interface DeviceFacts {
  /** In the catalogue's words. */
  name: string;
  kind: 'gpu' | 'cpu';
  /** Bytes that the driver tells; less than the name promises. */
  memory_bytes: number;
  /** Bytes a second of its memory. */
  bandwidth: number;
  /** Dense operations a second with sums in fp32; null: it has no such arithmetic. */
  bf16_flops: number | null;
  fp16_flops: number;
  fp32_flops: number;
  /** Share of its peak that large matrix products reach. */
  efficiency: number;
  /** Of that, what fused attention reaches. */
  attention_share: number;
  /** Published trainings that its speed was held against, by stack; 0: none. */
  stacks: number;
  /** Seconds that its host needs to start one kernel, idle time of the device between kernels included. */
  launch_s: number;
  /** Bytes a second that one device sends to the others of its host. */
  link: number;
}
