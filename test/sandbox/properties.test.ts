import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createExternal } from "../../src/sandbox/external.ts";
import { tryProperties } from "../../src/sandbox/properties.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sheaf-properties-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = "/usr/bin:/bin";
const mebibyte = 2 ** 20;
const limits = { memoryBytes: 512 * mebibyte, processes: 32 };

describe("the properties of a sandbox", () => {
  it("are found broken where nothing holds them, and nothing is left of the trial", async () => {
    const open = createExternal({ env: { PATH: path, LEAKED: "as it is outside" }, now: Date.now });
    const { properties, unseen, account } = await tryProperties(open, {
      dataFolder: join(folder, "data"),
      userHome: folder,
      path,
      variable: (name) => (name === "LEAKED" ? "as it is outside" : undefined),
      limits,
    });
    const broken = new Map(properties.filter(({ isHeld }) => !isHeld).map(({ name, saw }) => [name, saw]));
    expect(broken.get("host files")).toMatch(/it read .*beside/);
    expect(broken.get("writing")).toMatch(/it opened for writing .*beside.*it changed/);
    expect(broken.get("processes")).toMatch(/it saw process \d/);
    expect(broken.get("environment")).toMatch(/it has LEAKED; it read a secret/);
    expect(broken.get("network and sockets")).toMatch(/127\.0\.0\.1.*socket.*sheaf-/);
    expect(broken.get("seccomp")).toMatch(/keyctl was let through.*no filter is loaded/);
    expect(broken.get("limits")).toMatch(/more memory than its limit; a command had more than 32 processes/);
    expect(unseen).toEqual([]);
    expect(account).toBe(`${process.getuid?.()}:${process.getgid?.()}`);
    expect(readdirSync(folder)).toEqual(["data"]);
    expect(readdirSync(join(folder, "data"))).toEqual([]);
  });
});
