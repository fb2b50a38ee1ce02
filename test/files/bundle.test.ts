import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { behindBundle, openBundle } from "../../src/files/bundle.ts";
import { writeBundle } from "../../src/workspace/bundle.ts";
import { openTestBench, type TestBench } from "../support/equipment.ts";

let bench: TestBench;
beforeAll(async () => {
  bench = await openTestBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const texts: Record<string, string> = {
  "empty.txt": "",
  "no newline": "x",
  "like a header": `${"a".repeat(40)} blob 3\nabc\n`,
  "dir/with\nnewline.js": "\r\nüöä\u0000\n",
  "large.txt": randomBytes(300_000).toString("hex"),
};

describe("a bundle", () => {
  it("holds the bytes of every file it names, whatever they are, and leaves all others to the base", async () => {
    const { repository, spec } = await bench.repository(texts);
    const paths = [...Object.keys(texts), "not there.js", "dir"];
    const file = join(bench.folder, "bundle");
    const written = await writeBundle(repository, { tree: spec.base.tree, paths, file });
    expect(written.entries.map(({ path }) => path)).toEqual(Object.keys(texts));
    using bundle = openBundle(written);
    for (const [path, text] of Object.entries(texts)) {
      const found = bundle.fetch(path);
      expect(found).toMatchObject({ found: "file", is_executable: false });
      expect(Buffer.from(found?.found === "file" ? found.bytes : []).toString()).toBe(text);
    }
    const asked: string[] = [];
    const base = behindBundle(bundle, {
      fetch: async (path, want) => {
        asked.push(`${want} ${path}`);
        return { found: "nothing" };
      },
      names: async () => ({ names: [], isComplete: true }),
    });
    await base.fetch("empty.txt", "read");
    await base.fetch("empty.txt", "materialise");
    await base.fetch("not there.js", "read");
    expect(asked).toEqual(["materialise empty.txt", "read not there.js"]);
  });

  it("that is not what it says is an error, not other bytes", async () => {
    const { repository, spec } = await bench.repository({ "a.js": "a\n", "b.js": "b\n" });
    const file = join(bench.folder, "short");
    const written = await writeBundle(repository, { tree: spec.base.tree, paths: ["a.js"], file });
    const entries = [...written.entries, { path: "b.js", is_executable: false }];
    expect(() => openBundle({ file, entries })).toThrow(/holds no "b.js"/);
  });
});
