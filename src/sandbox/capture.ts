/** Keeps the beginning and the end of a stream of any length in bounded memory, and says what was left out. */
export interface Capture {
  add(chunk: Buffer): void;
  readonly bytes: number;
  read(): Buffer;
}

export function createCapture(limits: { headBytes: number; tailBytes: number }): Capture {
  const head: Buffer[] = [];
  let tail: Buffer[] = [];
  let headBytes = 0;
  let tailBytes = 0;
  let bytes = 0;
  const keepTail = (chunk: Buffer): void => {
    tail.push(chunk);
    tailBytes += chunk.length;
    if (tailBytes < limits.tailBytes * 2) return;
    const last = Buffer.from(Buffer.concat(tail).subarray(-limits.tailBytes));
    tail = [last];
    tailBytes = last.length;
  };
  return {
    add(chunk) {
      bytes += chunk.length;
      const room = limits.headBytes - headBytes;
      if (room > 0) head.push(Buffer.from(chunk.subarray(0, room)));
      headBytes += Math.min(Math.max(room, 0), chunk.length);
      if (chunk.length > room) keepTail(room > 0 ? chunk.subarray(room) : chunk);
    },
    get bytes() {
      return bytes;
    },
    read() {
      const end = Buffer.concat(tail).subarray(-limits.tailBytes);
      const left = bytes - headBytes - end.length;
      const gap = left > 0 ? [Buffer.from(`\n... ${left} bytes left out ...\n`)] : [];
      return Buffer.concat([...head, ...gap, end]);
    },
  };
}
