import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { compressed, linesOf } from "../../src/coordinator/transfer/lines.ts";
import { openArchive, readEntry } from "../../src/coordinator/transfer/read-archive.ts";
import { readTarHeader, tarHeader } from "../../src/coordinator/transfer/tar-header.ts";
import { ArchiveWriter } from "../../src/coordinator/transfer/write-archive.ts";

const folder = mkdtempSync(join(tmpdir(), "sheaf-archive-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

async function* chunksOf<T>(chunks: readonly T[]): AsyncGenerator<T> {
  yield* chunks;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function write(entries: readonly Uint8Array[][]) {
  const file = join(folder, String(++made));
  await using archive = await ArchiveWriter.create(file, 0);
  const added = [];
  for (const [index, chunks] of entries.entries()) added.push(await archive.add(`files/${index}`, chunksOf(chunks)));
  await archive.finish();
  return { file, added };
}

it("what is put into an archive comes out of it, and no changed byte of it does", async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 1_500 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(chunks, { maxLength: 5 }), fc.nat(), async (entries, place) => {
      const { file, added } = await write(entries);
      const archive = await openArchive(file);
      for (const [index, each] of added.entries()) {
        const read = Buffer.concat(await all(readEntry(archive, each)));
        expect(read.equals(Buffer.concat(entries[index] ?? []))).toBe(true);
      }
      const full = added.filter(({ bytes }) => bytes > 0);
      const hit = full[place % Math.max(full.length, 1)];
      if (!hit) return;
      const bytes = readFileSync(file);
      const at = (archive.places.get(hit.entry)?.offset ?? 0) + (place % hit.bytes);
      bytes[at] = (bytes[at] ?? 0) ^ 0x40;
      writeFileSync(file, bytes);
      await expect(all(readEntry(await openArchive(file), hit))).rejects.toMatchObject({ code: "usage" });
    }),
    { numRuns: 40 },
  );
});

it("a header says any size, and no other bytes are one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (size) => {
      const header = tarHeader({ name: "tables/events.jsonl.zst", size }, 1_700_000_000);
      expect(readTarHeader(header)).toEqual({ name: "tables/events.jsonl.zst", size });
    }),
  );
  expect(readTarHeader(Buffer.alloc(512))).toBeUndefined();
  expect(readTarHeader(randomBytes(512))).toBeUndefined();
});

it("lines come back as they were, whatever else than a line feed is in them", async () => {
  const line = fc.string({ unit: "binary", maxLength: 300 }).map((text) => text.replaceAll("\n", ""));
  const odd = fc.constantFrom("", "a\rb", "a\u2028b\u2029c\u0085d", "x".repeat(100_000));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(line, odd), { maxLength: 30 }), async (lines) => {
      expect(await all(linesOf(compressed(chunksOf(lines))))).toEqual(lines);
    }),
    { numRuns: 40 },
  );
});
