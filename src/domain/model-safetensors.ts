/** The header of a safetensors file: 8 bytes of length, then JSON. Read without loading a tensor. */

export const SAFETENSORS_HEADER_BYTES_MAX = 100 * 1024 * 1024;
const TENSORS_MAX = 200_000;
const DEPTH_MAX = 4;

const BITS: Record<string, number> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U16: 16,
  I16: 16,
  F16: 16,
  BF16: 16,
  U32: 32,
  I32: 32,
  F32: 32,
  U64: 64,
  I64: 64,
  F64: 64,
  C64: 64,
};

/** What a header says of its file. */
export interface SafetensorsFacts {
  tensors: string[];
  /** Elements of all tensors. */
  params: number;
  /** Elements by dtype, as the file writes it (`BF16`). */
  params_by_dtype: Record<string, number>;
}

export type SafetensorsHeader = { ok: true; facts: SafetensorsFacts } | { ok: false; message: string };

/**
 * How many bytes of header follow the first 8, or null when these 8 do not begin a safetensors file of this size.
 * A renamed pickle or text file fails here.
 */
export function safetensorsHeaderBytes(first8: Uint8Array, file_bytes: number): number | null {
  if (first8.byteLength < 8) return null;
  const length = new DataView(first8.buffer, first8.byteOffset, 8).getBigUint64(0, true);
  if (length < 2n || length > BigInt(Math.min(SAFETENSORS_HEADER_BYTES_MAX, file_bytes - 8))) return null;
  return Number(length);
}

/**
 * Checks a header against the bytes of data that follow it: every tensor's dtype, shape and offsets, which must cover
 * the data without overlap or hole. Returns what it found; a fault is a sentence.
 */
export function readSafetensorsHeader(text: string, data_bytes: number): SafetensorsHeader {
  const refuse = (message: string): SafetensorsHeader => ({ ok: false, message });
  const outline = outlineOf(text);
  if (outline === null) return refuse('its header is not an object of JSON, or nested too deeply');
  if (outline.keys > TENSORS_MAX) return refuse(`its header has more than ${TENSORS_MAX} tensors`);
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(text);
  } catch {
    return refuse('its header is not JSON');
  }
  if (Object.keys(header).length !== outline.keys) return refuse('its header names a tensor twice');
  const params_by_dtype: Record<string, number> = {};
  const spans: [number, number][] = [];
  const tensors: string[] = [];
  let params = 0;
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const tensor = tensorOf(entry);
    if (tensor === null)
      return refuse(`its tensor ${JSON.stringify(name.slice(0, 80))} has no sound dtype, shape and data_offsets`);
    tensors.push(name);
    spans.push([tensor.begin, tensor.end]);
    params += tensor.elements;
    params_by_dtype[tensor.dtype] = (params_by_dtype[tensor.dtype] ?? 0) + tensor.elements;
  }
  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let at = 0;
  for (const [begin, end] of spans) {
    if (begin !== at) return refuse(begin < at ? 'its tensors overlap' : 'its tensors leave a hole in the file');
    at = end;
  }
  if (at !== data_bytes)
    return refuse(at > data_bytes ? 'its tensors go past the end of the file' : 'it has bytes after its last tensor');
  return { ok: true, facts: { tensors, params, params_by_dtype } };
}

function tensorOf(entry: unknown): { dtype: string; elements: number; begin: number; end: number } | null {
  if (entry === null || typeof entry !== 'object') return null;
  const { dtype, shape, data_offsets, ...rest } = entry as Record<string, unknown>;
  if (Object.keys(rest).length > 0 || typeof dtype !== 'string' || !Object.hasOwn(BITS, dtype)) return null;
  if (!Array.isArray(shape) || !shape.every(isCount)) return null;
  const elements = shape.reduce((product: number, size: number) => product * size, 1);
  if (!Array.isArray(data_offsets) || data_offsets.length !== 2 || !data_offsets.every(isCount)) return null;
  const [begin, end] = data_offsets as [number, number];
  const bytes = (elements * (BITS[dtype] ?? 0)) / 8;
  if (!Number.isSafeInteger(elements) || end - begin !== bytes) return null;
  return { dtype, elements, begin, end };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

/** Keys of the outer object, twins included, found without parsing; null when it is no object or too deep. */
function outlineOf(text: string): { keys: number } | null {
  if (text[0] !== '{') return null;
  let depth = 0;
  let keys = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
    } else if (character === 0x7b || character === 0x5b) {
      if (++depth > DEPTH_MAX) return null;
    } else if (character === 0x7d || character === 0x5d) depth--;
    else if (character === 0x3a && depth === 1) keys++;
  }
  return depth === 0 ? { keys } : null;
}
