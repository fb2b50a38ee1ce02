import { mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readText } from "../../src/document/read-text.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sheaf-text-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function refusal(name: string, bytes?: Uint8Array): Promise<string> {
  if (bytes) await writeFile(join(folder, name), bytes);
  const read = readText(join(folder, name), { file: name, code: "job_file" });
  return read.then(
    () => "read",
    (thrown: Error) => thrown.message,
  );
}

describe("a file that a person named", () => {
  it("is its text, through a symlink too, without a byte order mark", async () => {
    await writeFile(join(folder, "real.yaml"), "\uFEFFname: é\n");
    await symlink("real.yaml", join(folder, "link.yaml"));
    expect(await readText(join(folder, "link.yaml"), { file: "link.yaml", code: "script" })).toBe("name: é\n");
  });

  it("of a terabyte is refused by its size alone", async () => {
    await writeFile(join(folder, "huge.yaml"), "");
    await truncate(join(folder, "huge.yaml"), 1_000_000_000_000);
    expect(await refusal("huge.yaml")).toMatch(/^huge\.yaml:1:1: the file has 1000000 MB and at most 1 MB are read/);
  });

  it("that is not UTF-8 is refused at the first bad byte", async () => {
    expect(await refusal("latin.yaml", Buffer.from("a: b\nname: caf\xe9\n", "latin1"))).toMatch(
      /^latin\.yaml:2:10: the file is not UTF-8/,
    );
    expect(await refusal("utf16.yaml", Buffer.from("\uFEFFa: b", "utf16le"))).toMatch(
      /^utf16\.yaml:1:1: the file is not UTF-8/,
    );
    expect(await refusal("cut.yaml", Buffer.from([0x61, 0xe2, 0x82]))).toMatch(/^cut\.yaml:1:2: the file is not UTF-8/);
  });

  it("that is no file is refused in words", async () => {
    await symlink("round.yaml", join(folder, "round.yaml"));
    expect(await refusal("missing.yaml")).toBe("missing.yaml: there is no such file");
    expect(await refusal("missing/x.yaml")).toBe("missing/x.yaml: there is no such file");
    expect(await refusal("real.yaml/x.yaml")).toBe("real.yaml/x.yaml: there is no such file");
    expect(await refusal(".")).toBe(".: not a file");
    expect(await refusal("round.yaml")).toBe("round.yaml: is a symlink that leads in a circle");
    await expect(readText("/dev/zero", { file: "/dev/zero", code: "job_file" })).rejects.toThrow(
      "/dev/zero: not a file",
    );
  });
});
