/** A BMP of flat cells whose colours come of a seed: pictures without a library. Little-endian, 24 bits, rows from below. */
export function bitmap(seed: number, width: number, height: number): Buffer {
  const row_bytes = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + row_bytes * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = Math.floor((x * 4) / width) + 4 * Math.floor((y * 4) / height);
      const at = 54 + y * row_bytes + x * 3;
      for (let channel = 0; channel < 3; channel++) bytes[at + channel] = ((seed + 1) * 7919 * (cell + 3) * (channel + 5)) % 256;
    }
  }
  return bytes;
}
