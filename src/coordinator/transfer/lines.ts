import { pipeline, Readable } from "node:stream";
import { pipeline as finished } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";

/** Lines of text as compressed bytes, and back. A line ends with a line feed and with nothing else. */
export function compressed(lines: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  const packed = createZstdCompress();
  // What goes wrong is thrown to whoever reads.
  pipeline(Readable.from(withEnds(lines)), packed, () => {});
  return packed;
}

async function* withEnds(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const line of lines) yield Buffer.from(`${line}\n`);
}

export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const whole = createZstdDecompress();
  const passed = finished(Readable.from(bytes), whole);
  // It is awaited below, where nothing else was thrown before.
  passed.catch(() => {});
  let parts: Buffer[] = [];
  for await (const chunk of whole) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed)) {
      yield Buffer.concat([...parts, rest.subarray(0, end)]).toString("utf8");
      parts = [];
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) parts.push(rest);
  }
  // What is compressed may end before its bytes do, and only at their end is it known whether they are the right ones.
  await passed;
}

const lineFeed = 0x0a;
