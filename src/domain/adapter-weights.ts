/** The weights of an adapter by the library that loads them: the names that PEFT and diffusers look for. */
export const ADAPTER_WEIGHTS = { peft: 'adapter_model.safetensors', diffusers: 'pytorch_lora_weights.safetensors' } as const;
export type AdapterLibrary = keyof typeof ADAPTER_WEIGHTS;

/** The library that an adapter of these files is for; null where none of them is its weights, or both are. */
export function adapterLibrary(files: readonly { path: string }[]): AdapterLibrary | null {
  const has = (library: AdapterLibrary) => files.some(({ path }) => path === ADAPTER_WEIGHTS[library]);
  if (has('peft') === has('diffusers')) return null;
  return has('peft') ? 'peft' : 'diffusers';
}
