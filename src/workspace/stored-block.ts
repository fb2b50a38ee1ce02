/**
 * Bytes in zlib's format as they are, in one block that is not squeezed (RFC 1950, and RFC 1951 section 3.2.4): what a
 * deflate at level 0 gives, without its state of a quarter of a megabyte. It takes no more than one block can hold.
 */
export const mostStoredBytes = 0xffff;

export function storedBlock(bytes: Uint8Array): Buffer {
  const block = Buffer.allocUnsafe(headBytes + bytes.length + sumBytes);
  // A window of 32 kB, the fastest level; then the last block, which is a stored one.
  block.set([0x78, 0x01, 0x01]);
  block.writeUInt16LE(bytes.length, 3);
  block.writeUInt16LE(~bytes.length & 0xffff, 5);
  block.set(bytes, headBytes);
  block.writeUInt32BE(adler32(bytes), headBytes + bytes.length);
  return block;
}

const headBytes = 7;
const sumBytes = 4;

/** RFC 1950, section 8.2. */
function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0];
  for (let from = 0; from < bytes.length; from += mostAdded) {
    const end = Math.min(from + mostAdded, bytes.length);
    for (let at = from; at < end; at++) {
      low += bytes[at] ?? 0;
      high += low;
    }
    low %= modulus;
    high %= modulus;
  }
  return high * 0x10000 + low;
}

const modulus = 65_521;
/** So many bytes keep both sums below 2^32 (zlib's NMAX). */
const mostAdded = 5_552;
