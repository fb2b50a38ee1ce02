import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { openSandbox } from "../../src/sandbox/open-sandbox.ts";
import { tryProperties } from "../../src/sandbox/properties.ts";
import { sandboxOptions } from "../support/sandboxed.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sheaf-probe-"));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const root = join(import.meta.dirname, "../..");

/** Opens the sandbox in a process of its own, in namespaces in which something was changed before. */
function openedAfter(prepare: string, unshare: readonly string[]): unknown {
  const script = `
    import { openSandbox } from "${root}/src/sandbox/open-sandbox.ts";
    import { systemClock } from "${root}/src/clock.ts";
    const { mode, unavailable, remedy } = await openSandbox(${JSON.stringify(sandboxOptions(join(folder, "data")))}, systemClock);
    console.log(JSON.stringify({ mode, unavailable, remedy }));
    process.exit();`;
  const shell = `${prepare} && exec "$0" --no-warnings --input-type=module-typescript -e "$1"`;
  const words = [...unshare, "/bin/sh", "-c", shell, process.execPath, script];
  const { stdout, stderr } = spawnSync("unshare", words, { encoding: "utf8" });
  return stdout === "" ? stderr : JSON.parse(stdout);
}

const ownMounts = process.getuid?.() === 0 ? ["--mount"] : ["--user", "--mount", "--map-current-user", "--keep-caps"];

function bubblewrapThat(says: string): string {
  const file = join(folder, "bwrap");
  writeFileSync(file, `#!/bin/sh\n${says}\n`);
  chmodSync(file, 0o755);
  return `mount --bind '${file}' /usr/bin/bwrap`;
}

describe("the trial run", () => {
  it("opens a sandbox whose every property holds, and leaves nothing of the trials behind", async () => {
    const data = join(folder, "data");
    const limits = { memoryBytes: 2 ** 30, processes: 64, scratchBytes: 2 ** 26 };
    const sandbox = await openSandbox({ ...sandboxOptions(data), limits }, systemClock);
    if ("unavailable" in sandbox) throw new Error(`${sandbox.unavailable}: ${sandbox.remedy}`);
    const path = `/usr/bin:/bin:/nowhere:${folder}`;
    const variable = () => undefined;
    const tried = await tryProperties(sandbox, { dataFolder: data, userHome: folder, path, variable, limits });
    expect(tried.properties.filter(({ isHeld }) => !isHeld)).toEqual([]);
    expect(tried.properties.map(({ name }) => name)).toEqual(
      "host files,writing,processes,environment,network and sockets,namespaces,seccomp,privileges,end,limits".split(
        ",",
      ),
    );
    expect(tried.unseen).toEqual([folder]);
    expect(tried.account).not.toMatch(/^0:|:0$/);
    expect(readdirSync(data).filter((name) => /^(probe|doctor)-/.test(name))).toEqual([]);
  });

  it("finds that user namespaces are turned off", () => {
    const prepare = "echo 0 > /proc/sys/user/max_user_namespaces";
    expect(openedAfter(prepare, ["--user", "--map-root-user"])).toEqual({
      unavailable: expect.stringMatching(/max_user_namespaces is 0/),
      remedy: expect.stringContaining("sysctl -w user.max_user_namespaces="),
    });
  });

  it.each([
    ["is too old", "echo 'bwrap: Unknown option --disable-userns' >&2; exit 1", /older than 0\.8\.0/],
    ["breaks", "echo 'bwrap: a thing went wrong' >&2; exit 1", /cannot make a sandbox|does not let bubblewrap/],
    ["does nothing and ends well", "exit 0", /cannot make a sandbox|does not let bubblewrap/],
    ["is killed", "kill -9 $$", /cannot make a sandbox|does not let bubblewrap/],
  ])("refuses a bubblewrap that %s", (_how, says, unavailable) => {
    expect(openedAfter(bubblewrapThat(says), ownMounts)).toEqual({
      unavailable: expect.stringMatching(unavailable),
      remedy: expect.stringMatching(/./),
    });
  });

  it("does not take a bubblewrap's word that runs commands without containing them", () => {
    // All its options are read and dropped, and the command is run as it is.
    const says = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"';
    const opened = openedAfter(bubblewrapThat(says), ownMounts);
    expect(opened).toMatchObject({ unavailable: expect.any(String) });
  });

  it("tells an operator's mistake from a machine's", async () => {
    const options = { ...sandboxOptions(join(folder, "data")), user: "no-such-account" };
    const opened = openSandbox(options, systemClock);
    if (process.getuid?.() === 0) await expect(opened).rejects.toMatchObject({ code: "configuration" });
    else expect(await opened).toHaveProperty("mode", "bubblewrap");
    expect(existsSync(join(folder, "data", "probe"))).toBe(false);
  });
});
