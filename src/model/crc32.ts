/**
 * The CRC-32 of bytes (ISO 3309, as zlib has it), eight at a time by tables (M. E. Kounavis and F. L. Berry, "Novel Table
 * Lookup-Based Algorithms for High-Performance CRC Generation", IEEE Trans. Computers 57, 2008). For what is short and lies
 * within a large buffer: the call of `zlib.crc32`, with a view of the bytes made for it, takes longer than the sum.
 */
export function crc32At(data: Uint8Array, begin: number, end: number): number {
  let crc = -1;
  let at = begin;
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= byte(data, at) | (byte(data, at + 1) << 8) | (byte(data, at + 2) << 16) | (byte(data, at + 3) << 24);
    crc =
      entry(7, crc & 255) ^
      entry(6, (crc >>> 8) & 255) ^
      entry(5, (crc >>> 16) & 255) ^
      entry(4, crc >>> 24) ^
      entry(3, byte(data, at + 4)) ^
      entry(2, byte(data, at + 5)) ^
      entry(1, byte(data, at + 6)) ^
      entry(0, byte(data, at + 7));
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ entry(0, (crc ^ byte(data, at)) & 255);
  return ~crc >>> 0;
}

function byte(data: Uint8Array, at: number): number {
  return data[at] ?? 0;
}

/** The remainder of a byte that `zeros` bytes follow. */
function entry(zeros: number, value: number): number {
  return TABLE[256 * zeros + value] ?? 0;
}

const POLYNOMIAL = 0xedb88320;
const TABLE = makeTable();

function makeTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    table[value] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const shorter = table[at - 256] ?? 0;
    table[at] = (shorter >>> 8) ^ (table[shorter & 255] ?? 0);
  }
  return table;
}
