import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { createBubblewrap } from "../../src/sandbox/bubblewrap.ts";
import type { Command, CommandOutcome, Sandbox } from "../../src/sandbox/driver.ts";
import type { SandboxOptions } from "../../src/sandbox/open-sandbox.ts";

/** A real sandbox over an empty tree, in a folder that everybody may enter or, as `isClosed`, root alone. */
export interface Sandboxed extends Disposable {
  sandbox: Sandbox;
  /** Holds all of it, and what a test puts beside the tree. */
  root: string;
  tree: string;
  run(run: Command["run"], more?: Partial<Command>): Promise<CommandOutcome>;
  /** What a command prints, without the space around it; the tree is handed over before. */
  say(run: Command["run"], more?: Partial<Command>): Promise<string>;
}

export function openSandboxed(options: Partial<SandboxOptions> & { isClosed?: boolean } = {}): Sandboxed {
  const { isClosed = false, ...more } = options;
  const root = mkdtempSync(join(tmpdir(), "sheaf-sandbox-"));
  if (!isClosed) chmodSync(root, 0o755);
  const tree = join(root, "tree");
  mkdirSync(tree);
  const sandbox = createBubblewrap({ ...sandboxOptions(join(root, "data")), ...more }, systemClock);
  const run: Sandboxed["run"] = async (words, given) => {
    await sandbox.handOver(tree);
    return sandbox.run({ run: words, cwd: tree, timeoutMs: 20_000, signal: new AbortController().signal, ...given });
  };
  const say: Sandboxed["say"] = async (words, given) => (await run(words, given)).output.toString().trim();
  return { sandbox, root, tree, run, say, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

export function sandboxOptions(dataFolder: string): SandboxOptions {
  return {
    mode: "bubblewrap",
    read: [],
    limits: { memoryBytes: 2 ** 33, processes: 256, scratchBytes: 2 ** 28 },
    privateHosts: [],
    path: "/usr/local/bin:/usr/bin:/bin",
    home: "/home/operator",
    packageFolder: join(import.meta.dirname, "../.."),
    dataFolder,
  };
}

/** Processes of this machine whose list of arguments holds that text, zombies left out. */
export function processesWith(text: string): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      const isZombie = /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
      return !isZombie && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(text);
    } catch {
      return false;
    }
  });
}
