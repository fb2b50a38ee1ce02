import { join } from "node:path";
import { expect, it } from "vitest";
import { sandboxFindings } from "../../src/cli/doctor-sandbox.ts";
import { readConfig } from "../../src/config.ts";
import type { NoSandbox, Sandbox } from "../../src/sandbox/driver.ts";
import { createExternal } from "../../src/sandbox/external.ts";
import { readSettings } from "../../src/settings.ts";
import { openSandboxed, sandboxOptions } from "../support/sandboxed.ts";

async function findings(mode: Sandbox["mode"] | "none", found: Sandbox | NoSandbox, home: string) {
  const settings = await readSettings({ home, cwd: home });
  const own = {
    ...settings,
    sandbox: { ...settings.sandbox, mode, limits: sandboxOptions(home).limits },
  };
  const config = readConfig({ HOME: home, SHEAF_HOME: join(home, "data"), PATH: "/usr/bin:/bin", SECRET: "outside" });
  return sandboxFindings({ equipment: { sandbox: async () => found, home: config.home }, settings: own }, { config });
}

it("doctor shows what commands run as, and each property as it was tried", async () => {
  using box = openSandboxed();
  const found = await findings("bubblewrap", box.sandbox, box.root);
  expect(found.map(({ state }) => state)).toEqual(Array.from(found, () => "ok"));
  expect(found[0]?.what).toMatch(/^sandbox bubblewrap: commands run as [1-9]\d*:[1-9]\d*/);
  expect(found.slice(1).map(({ what }) => what.split(":")[0])).toContain("network and sockets");
});

it("doctor calls it bad that there is no sandbox where there should be one, and not where none was wanted", async () => {
  using box = openSandboxed();
  const missing = { unavailable: "bubblewrap is not installed", remedy: "apt-get install bubblewrap" };
  const said = { what: expect.stringContaining("bubblewrap is not installed"), remedy: missing.remedy };
  expect(await findings("bubblewrap", missing, box.root)).toEqual([{ state: "bad", ...said }]);
  expect(await findings("none", missing, box.root)).toEqual([{ state: "note", ...said }]);
});

it("doctor says what the operator alone vouches for", async () => {
  using box = openSandboxed();
  const found = await findings("external", createExternal({ env: {}, now: Date.now }), box.root);
  expect(found.map(({ state }) => state)).toEqual(["note", "note", "ok"]);
  for (const property of ["host files", "processes", "network and sockets", "namespaces", "seccomp", "limits"]) {
    expect(found[1]?.what).toContain(property);
  }
});

it("doctor names a sandbox that cannot even run its trial", async () => {
  using box = openSandboxed();
  const broken: Sandbox = { ...box.sandbox, run: async () => Promise.reject(new Error("it went away")) };
  expect(await findings("bubblewrap", broken, box.root)).toMatchObject([{ state: "bad" }]);
});
