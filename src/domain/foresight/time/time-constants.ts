/**
 * Constants of the time model that no datasheet tells. Those marked "fitted" were set by least absolute error of the logarithm on the rows
 * of bench/foresight that its split calls `tune` (130 of seven stacks), and on no other.
 */
export const TIME_CONSTANTS = {
  /** Of a memory's bandwidth, what a kernel that only moves bytes reaches: copies of large tensors, 80 to 92 % on GPUs. */
  bandwidth_share: 0.8,
  /** Fitted. Counted traffic × this is moved: kernels that are not counted, less what caches keep. */
  traffic_scale: 1.15,
  /** Fitted. Kernels' worth of Python and autograd around a block's modules. */
  block_overhead: 18,
  /** Kernels of the backward pass for each of the forward pass: a product has two. */
  backward_kernels: 2,
  /** Fitted. What the hooks of DeepSpeed's ZeRO-3 around every module make of the launches. */
  zero3_launch: 2.2,
  /** Of launches and of traffic beside products, what torch.compile leaves, and of the traffic what Liger's kernels leave: ml-engineering 48.8 → 12.6 ms (1B); torchtune −21 % (3B). */
  compiled_launch: 0.25,
  compiled_traffic: 0.5,
  /** Bytes read and written for each weight that becomes a 16-bit one: half of one, or one, and two. */
  dequantized_bytes: { nf4: 2.5, 'nf4-dq': 2.5, int8: 3 },
  /** Fitted. How much slower than a copy that is: litgpt's NF4 and Qwen's GPTQ reach 215 to 410 GB/s on an A100. */
  dequantize_scale: 4.5,
  /** Bytes read and written for each logit, from the head's output to its gradient: fp32 softmax; Liger's kernel keeps it in place. */
  logit_traffic: { standard: 36, 'kept-logits': 36, chunked: 36, fused: 12 },
  /** Numbers read and written for each trained one: weight, gradient (twice, for its norm), moments. */
  optimizer_passes: { adamw: 8, adamw_8bit: 6, paged_adamw_8bit: 6, adafactor: 8, lion: 6, sgd: 4 },
  /** Of the reached bandwidth, what an optimizer's kernels reach: 46.6 ms for 8.03e9 bf16 weights on a B200 (ml-engineering). */
  optimizer_share: 0.35,
  /** Fitted. Of the collectives of a pass, what its arithmetic does not hide. */
  exposed: 0.8,
  /**
   * By what links below so many bytes a second may be off either way: fsdp_qlora's two boards with PCIe 4.0 send 3 and 25 GB/s. NVLink
   * is what its datasheet says.
   */
  uncertain_link: { below: 60e9, times: 3 },
  /** By what a figure may be off either way in nine of ten runs, by the published stacks that a device's speed was held against: 1.37 and 1.27 on the tuned rows. */
  spread: { several: 1.4, one: 1.45, none: 2, unusual: 1.15 },
} as const;
