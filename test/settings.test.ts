import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSettings } from "../src/settings.ts";

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "sheaf-settings-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const write = (text: string) => writeFile(join(home, "sheaf.config.yaml"), text);
const read = (more: { file?: string; repository?: string } = {}) => readSettings({ home, cwd: home, ...more });

describe("the operator's settings", () => {
  it("allow no command where nobody wrote any, or only comments", async () => {
    expect(await read()).toEqual({ sandbox: { mode: "none" }, threads: {} });
    await write("# sandbox: { mode: external }\n\n");
    expect(await read()).toMatchObject({ sandbox: { mode: "none" }, threads: {} });
  });

  it("come from the data folder, or from the file that was named", async () => {
    await write("sandbox: { mode: external }\nthreads: { count: 2, heap_mb: 512 }\n");
    const file = join(home, "sheaf.config.yaml");
    expect(await read()).toEqual({ sandbox: { mode: "external" }, threads: { count: 2, heapMb: 512 }, file });
    await writeFile(join(home, "other.yaml"), "threads: { count: 3 }");
    expect(await read({ file: "other.yaml" })).toMatchObject({ sandbox: { mode: "none" }, threads: { count: 3 } });
  });

  it.each([
    [
      "sandbox: { mode: externl }",
      '1:18: expected "none" or "external", found the text "externl"; did you mean "external"?',
    ],
    [
      "sandbox: { mode: bubblewrap }",
      '1:18: "bubblewrap" is not built yet: use external where something else contains commands, such as a container',
    ],
    ["sandbox: external", '1:10: expected a mapping (mode), found the text "external"'],
    ["threads: { count: 0 }", "1:19: expected at least 1, found the number 0"],
    ["thread: {}", '1:1: unknown key "thread"; did you mean "threads"?'],
    [
      "a: 1\n---\nb: 1",
      "3:1: a second document starts here (after `---`), and one was expected; put each in a file of its own",
    ],
  ])("as in %j are refused like a job file, with the place", async (text, message) => {
    await write(text);
    await expect(read()).rejects.toMatchObject({
      code: "configuration",
      message: `${join(home, "sheaf.config.yaml")}:${message}`,
    });
  });

  it("that were named and are not there are an error", async () => {
    await expect(read({ file: "none.yaml" })).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringContaining("no such file"),
    });
  });

  it("are never read from the repository being worked on, by any name it has", async () => {
    const repository = join(home, "repo");
    await mkdir(join(repository, "..data"), { recursive: true });
    for (const file of ["repo/sheaf.config.yaml", "repo/..data/c.yaml"]) {
      await writeFile(join(home, file), "sandbox: { mode: external }");
      await expect(read({ file, repository })).rejects.toMatchObject({ code: "configuration" });
    }
    await symlink("repo/sheaf.config.yaml", join(home, "sheaf.config.yaml"));
    await expect(read({ repository })).rejects.toThrow("settings are not read from the repository being worked on");
    await symlink("repo", join(home, "alias"));
    await expect(read({ file: "repo/sheaf.config.yaml", repository: join(home, "alias") })).rejects.toMatchObject({
      code: "configuration",
    });
    expect(await read({ file: "repo/sheaf.config.yaml" })).toMatchObject({ sandbox: { mode: "external" } });
  });
});
