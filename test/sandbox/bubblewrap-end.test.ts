import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endLeftovers, networkFolder } from "../../src/sandbox/end-leftovers.ts";
import { ownMark } from "../../src/sandbox/process-life.ts";
import { openSandboxed, processesWith, type Sandboxed } from "../support/sandboxed.ts";

let box: Sandboxed;
/** The argument of a sleep that is this test's alone. */
let mark: string;
let count = 0;
beforeEach(() => {
  // Closed to the account where we are root: the longest way into a sandbox, with mounts of its own.
  box = openSandboxed({ isClosed: true });
  mark = `${1_000_000 + process.pid}.${count++}`;
});
afterEach(() => box[Symbol.dispose]());

/** Leaves children behind in every way: in the background, in a session of their own, twice forked, deaf to signals. */
const strew = () =>
  `sleep ${mark} & setsid sleep ${mark} & (setsid sh -c 'sleep ${mark} & exec sleep ${mark}' &) ; (trap '' TERM HUP INT; sleep ${mark} >/dev/null 2>&1 &); `;

const mounts = () => readFileSync("/proc/self/mountinfo", "utf8");
const left = () => processesWith(mark);

describe("a command in bubblewrap leaves no process", () => {
  it("when it succeeds or fails, though its children hold its output open", async () => {
    expect(await box.run(`${strew()} exit 0`)).toMatchObject({ exit: 0 });
    expect(left()).toEqual([]);
    expect(await box.run(`${strew()} exit 4`)).toMatchObject({ exit: 4 });
    expect(left()).toEqual([]);
  });

  it("when its time is over: first it is asked, then it is killed", async () => {
    const asked = await box.run("trap 'echo asked; exit 5' TERM; while :; do sleep 0.05; done", { timeoutMs: 500 });
    expect(asked).toMatchObject({ isTimedOut: true, exit: 5 });
    expect(asked.output.toString()).toContain("asked");
    const plain = await box.run(`exec sleep ${mark}`, { timeoutMs: 300 });
    expect(plain).toMatchObject({ isTimedOut: true, exit: null, signal: "SIGTERM" });
    const deaf = await box.run(`${strew()} trap '' TERM; while :; do sleep 0.1; done`, { timeoutMs: 300 });
    expect(deaf).toMatchObject({ isTimedOut: true, exit: null, signal: "SIGKILL" });
    expect(left()).toEqual([]);
  });

  it("when it is cancelled, at whatever moment", async () => {
    for (const afterMs of [0, 1, 2, 4, 8, 12, 16, 24, 32]) {
      const stop = new AbortController();
      const running = box.run(`${strew()} sleep ${mark}`, { signal: stop.signal });
      setTimeout(() => stop.abort(new Error("enough")), afterMs);
      await expect(running).rejects.toThrow("enough");
      expect(left()).toEqual([]);
    }
  });

  it("when it is cancelled and deaf to the polite signal", async () => {
    const stop = new AbortController();
    const running = box.run(`${strew()} trap '' TERM; while :; do sleep 0.1; done`, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 300);
    await expect(running).rejects.toThrow("enough");
    expect(left()).toEqual([]);
  });

  it("when it writes over the first process of its namespace", async () => {
    const script = `open(M, "+<", "/proc/1/mem") or die "closed"; open(P, "/proc/1/maps");
      while (<P>) { next unless /^([0-9a-f]+)-([0-9a-f]+) r-xp/; $at = hex($1); $size = hex($2) - $at; sysseek(M, $at, 0); syswrite(M, "\\xeb\\xfe" x ($size / 2)); }`;
    await box.run(`${strew()} perl -e '${script}'`, { timeoutMs: 1_000 });
    expect(left()).toEqual([]);
  });
});

describe("sixteen commands at one time", () => {
  it("leave no process, mount or file behind, however they end", async () => {
    const before = mounts();
    const stop = new AbortController();
    const ends = Array.from({ length: 16 }, (_, index) => {
      const run = [`${strew()} exit 0`, `${strew()} exit 1`, `${strew()} sleep ${mark}`, `${strew()} sleep ${mark}`][
        index % 4
      ];
      return box
        .run(run ?? "", index % 4 === 2 ? { timeoutMs: 1_500 } : { signal: stop.signal })
        .catch(() => "cancelled");
    });
    setTimeout(() => stop.abort(new Error("enough")), 2_500);
    await Promise.all(ends);
    expect(left()).toEqual([]);
    expect(mounts()).toBe(before);
    expect(readdirSync(box.tree)).toEqual([]);
    expect(readdirSync(box.root).toSorted()).toEqual(["data", "tree"]);
  });

  it("lose the sockets of a killed process at the next start, and no others, nor those of another machine", () => {
    const sockets = networkFolder(join(box.root, "data"));
    const [, , where = ""] = ownMark().split("-");
    const strangers = [
      "4194305-7-0123456789ab-elsewhere",
      `${process.pid}-1-0123456789ab-elsewhere`,
      "4194305-7-nowhere",
    ];
    const dead = [`4194305-7-${where}-dead`, `${process.pid}-1-${where}-before`];
    const names = [`${ownMark()}live`, ...dead, ...strangers, "not-ours"];
    for (const name of names) mkdirSync(join(sockets, name), { recursive: true });
    endLeftovers(join(box.root, "data"));
    expect(readdirSync(sockets).toSorted()).toEqual([`${ownMark()}live`, ...strangers, "not-ours"].toSorted());
  });

  it("end with the process that ran them, when it is killed; what that moment missed ends at the next start", async () => {
    const before = mounts();
    const support = join(import.meta.dirname, "../support/sandboxed.ts");
    const script = `const { openSandboxed } = await import(${JSON.stringify(support)});
      const box = openSandboxed({ isClosed: true, dataFolder: ${JSON.stringify(join(box.root, "data"))} });
      console.log(box.root, (await box.say("ls /proc/self/fd")).split("\\n"));
      for (let i = 0; i < 16; i++) void box.run(${JSON.stringify(`echo > made$$; ${strew()} sleep ${mark}`)});`;
    // A folder of the machine left open by whoever started it, far above what Node itself takes care of.
    const folder = openSync("/", "r");
    const stdio = ["ignore", "pipe", "inherit", ...Array<"ignore">(27).fill("ignore"), folder] as const;
    const server = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: [...stdio] });
    closeSync(folder);
    const said = server.stdout ? String(await once(server.stdout, "data")) : "";
    expect(said).toContain("[ '0', '1', '2', '3' ]");
    const root = said.split(" ")[0] ?? "";
    await expect.poll(() => left().length, { timeout: 20_000 }).toBeGreaterThan(16);
    server.kill("SIGKILL");
    await once(server, "exit");
    // One that had just been forked is none of bubblewrap's yet: whichever start comes after that ends it.
    const afterStart = () => {
      endLeftovers(join(box.root, "data"));
      return left();
    };
    await expect.poll(afterStart, { timeout: 10_000 }).toEqual([]);
    expect(mounts()).toBe(before);
    expect(existsSync(join(root, "tree"))).toBe(true);
    expect(processesWith(root)).toEqual([]);
    rmSync(root, { recursive: true });
  });
});
