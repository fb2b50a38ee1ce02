/**
 * The header of one file in a tar archive (POSIX.1-1988 "ustar"), so that any tar shows what is in an export. Only plain
 * files with short names; a size of 8 GiB and more is written in base 256, as GNU tar does.
 */
export const blockBytes = 512;

export interface TarFile {
  /** At most 100 bytes of ASCII. */
  name: string;
  size: number;
}

export function tarHeader({ name, size }: TarFile, atSeconds: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0, 100, "latin1");
  block.write("0000600\0", 100, "latin1");
  block.write("0000000\0", 108, "latin1");
  block.write("0000000\0", 116, "latin1");
  writeSize(block, size);
  block.write(`${atSeconds.toString(8).padStart(11, "0")}\0`, 136, "latin1");
  // A plain file, and the name of no link.
  block.write("0", 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(`${sumOf(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** undefined for what is no such header. */
export function readTarHeader(block: Buffer): TarFile | undefined {
  const sum = Number.parseInt(block.toString("latin1", 148, 156), 8);
  const isOurs = block.toString("latin1", 257, 262) === "ustar" && block.toString("latin1", 156, 157) === "0";
  if (!isOurs || sum !== sumOf(block)) return undefined;
  const name = block.toString("latin1", 0, 100).replace(/\0.*$/s, "");
  return { name, size: readSize(block) };
}

const sizeAt = 124;
const largestOctal = 8 ** 11;

function writeSize(block: Buffer, size: number): void {
  if (size < largestOctal) return void block.write(`${size.toString(8).padStart(11, "0")}\0`, sizeAt, "latin1");
  block[sizeAt] = 0x80;
  block.writeBigUInt64BE(BigInt(size), sizeAt + 4);
}

function readSize(block: Buffer): number {
  if (block[sizeAt] === 0x80) return Number(block.readBigUInt64BE(sizeAt + 4));
  return Number.parseInt(block.toString("latin1", sizeAt, sizeAt + 12), 8);
}

/** Of all bytes, those of the sum itself taken as spaces. */
function sumOf(block: Buffer): number {
  let sum = 0;
  for (const [at, byte] of block.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  return sum;
}
