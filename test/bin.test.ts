import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** What stands for the program here: it says what it is run by and does what its first argument says. */
const program = `
const [what] = process.argv.slice(2);
if (what === "code") process.exitCode = 13;
if (what === "wait") {
  setInterval(() => {}, 1000);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(name, () => { process.stdout.write(name + "\\n", () => process.exit(42)); });
}
process.stdout.write(JSON.stringify({ node: process.versions.node, args: process.argv.slice(2), pid: process.pid }) + "\\n");
if (what === "signal") process.kill(process.pid, "SIGTERM");
`;
/** Loaded before the command, it makes this Node pass for the one of a bare machine. */
const oldNode = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.0" } });`;

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "sheaf-bin-"));
  const packaged = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  await mkdir(join(home, "installed/node_modules", packaged, "bin"), { recursive: true });
  await writeFile(join(home, "installed/node_modules", packaged, "package.json"), "{}");
  await symlink(process.execPath, join(home, "installed/node_modules", packaged, "bin/node"));
  for (const place of ["installed", "alone"]) {
    await mkdir(join(home, place, "src"), { recursive: true });
    await cp(join(import.meta.dirname, "../src/bin.ts"), join(home, place, "src/bin.ts"));
    await writeFile(join(home, place, "src/main.ts"), program);
  }
  await writeFile(join(home, "old-node.cjs"), oldNode);
});

afterAll(() => rm(home, { recursive: true }));

describe("the installed command", () => {
  it("runs the program itself under a Node that is new enough", async () => {
    const child = start("alone", ["run", "a b"], []);
    const { code, stdout } = await ended(child);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ node: process.versions.node, args: ["run", "a b"], pid: child.pid });
  });

  it("hands over to the packaged Node under an older one, arguments and all", async () => {
    const child = start("installed", ["run", "a b", "--x=$(y)"]);
    const { code, stdout } = await ended(child);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ node: process.versions.node, args: ["run", "a b", "--x=$(y)"] });
    expect(JSON.parse(stdout).pid).not.toBe(child.pid);
  });

  it("ends with the program's exit code", async () => {
    expect(await ended(start("installed", ["code"]))).toMatchObject({ code: 13, signal: null });
  });

  it("dies of the signal that the program died of", async () => {
    expect(await ended(start("installed", ["signal"]))).toMatchObject({ code: null, signal: "SIGTERM" });
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("passes %s on, once", async (signal) => {
    const child = start("installed", ["wait"]);
    const ending = ended(child);
    await speaks(child);
    child.kill(signal);
    const { code, stdout } = await ending;
    expect(code).toBe(42);
    expect(stdout.split("\n").slice(1)).toEqual([signal, ""]);
  });

  it("hears a signal to its whole process group, as a terminal sends it, once", async () => {
    const child = start("installed", ["wait"], undefined, { detached: true });
    const ending = ended(child);
    await speaks(child);
    process.kill(-(child.pid ?? 0), "SIGINT");
    const { code, stdout } = await ending;
    expect(code).toBe(42);
    expect(stdout.split("\n").slice(1)).toEqual(["SIGINT", ""]);
  });

  it("takes the program with it when it is killed", async () => {
    const child = start("installed", ["wait"]);
    // Its output closes only when the program, which holds the other end, is gone too.
    const ending = ended(child);
    await speaks(child);
    child.kill("SIGKILL");
    const { signal, stdout } = await ending;
    expect(signal).toBe("SIGKILL");
    expect(stdout).not.toContain("SIG");
  });

  it("says what to install where no packaged Node is found, and exits 78", async () => {
    const { code, stdout, stderr } = await ended(start("alone", ["run"]));
    expect(code).toBe(78);
    expect(stdout).toBe("");
    expect(stderr).toContain(`node-${process.platform}-${process.arch} is not installed`);
    expect(stderr).toContain("Install Node 24");
  });
});

function start(
  place: string,
  args: string[],
  preload = ["--require", join(home, "old-node.cjs")],
  options: { detached?: boolean } = {},
): ChildProcess {
  return spawn(process.execPath, [...preload, join(home, place, "src/bin.ts"), ...args], {
    ...options,
    env: { ...process.env, NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function ended(child: ChildProcess) {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, stdout, stderr };
}

async function speaks(child: ChildProcess): Promise<void> {
  if (child.stdout) await once(child.stdout, "data");
}
