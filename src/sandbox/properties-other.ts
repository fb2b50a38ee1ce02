import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { Fault } from "../protocol/failure.ts";
import type { Sandbox } from "./driver.ts";

/**
 * Another command, that has a secret, forks away and will not end: for the one that is tried to look for, and to be
 * ended itself. Both are found by a mark in its command line, which is in nobody else's.
 */
export interface Other extends AsyncDisposable {
  marks: { command: string; secret: string };
  /** Cancels it; answers its account on this machine, and the processes of it that are left. */
  end(): Promise<{ account: string | undefined; left: string[] }>;
}

export async function startOther(sandbox: Sandbox, { otherTree }: { otherTree: string }): Promise<Other> {
  const marks = { command: mark(), secret: mark() };
  const stop = new AbortController();
  await sandbox.handOver(otherTree);
  const running = sandbox
    .run({
      run: ["/bin/sh", "-c", `(${stubborn} &); ${stubborn}`, marks.command],
      cwd: otherTree,
      timeoutMs,
      secrets: { SHEAF_TRIAL: marks.secret },
      signal: stop.signal,
    })
    .catch((thrown: unknown) => thrown);
  const end = async () => {
    stop.abort();
    await running;
  };
  const account = await untilSeen(marks.command, running);
  return {
    marks,
    async end() {
      await end();
      return { account, left: (await marked(marks.command)).map(({ pid }) => `process ${pid}`) };
    },
    [Symbol.asyncDispose]: end,
  };
}

const stubborn = `trap "" HUP INT TERM; while :; do sleep 1; done`;
const timeoutMs = 60_000;
const lookMs = 10;

function mark(): string {
  return `sheaf-trial-${randomBytes(12).toString("hex")}`;
}

/** Waits for both of its shells: the one that stays, and the one that forked away. */
async function untilSeen(text: string, running: Promise<unknown>): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  let ended: { said: unknown } | undefined;
  void running.then((said) => {
    ended = { said };
  });
  while (ended === undefined) {
    const shells = (await marked(text)).filter(({ line }) => line.startsWith("/bin/sh\0"));
    if (shells.length >= 2) return shells[0]?.account;
    await wait(lookMs);
  }
  throw new Fault("sandbox_unavailable", "a command that should have stayed ended at once", { cause: ended.said });
}

interface Seen {
  pid: string;
  line: string;
  account: string | undefined;
}

/** Processes of this machine with that in their command line. */
async function marked(text: string): Promise<Seen[]> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(pids.map((pid) => lookAt(pid)));
  return seen.filter(({ line }) => line.includes(text));
}

async function lookAt(pid: string): Promise<Seen> {
  const [line, status] = await Promise.all(
    ["cmdline", "status"].map((name) => readFile(`/proc/${pid}/${name}`, "latin1").catch(() => "")),
  );
  const id = (name: string) => new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status ?? "")?.[1];
  return { pid, line: line ?? "", account: id("Uid") && `${id("Uid")}:${id("Gid")}` };
}
