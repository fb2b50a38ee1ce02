import { realpath } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { z } from "zod";
import { readDocument } from "./document/read-document.ts";
import { readText } from "./document/read-text.ts";
import { Fault } from "./protocol/failure.ts";
import { choice, notBuilt } from "./protocol/not-built.ts";

/**
 * What the operator of this machine decides, from `sheaf.config.yaml`. Never read from the repository being worked
 * on: whoever can change that must not be able to change this.
 */
export interface Settings {
  /** `external`: the operator says that commands are contained by something outside. `none`: no command can run. */
  sandbox: { mode: "none" | "external" };
  threads: { count?: number; heapMb?: number };
  /** The file they came from; absent when there is none and defaults hold. */
  file?: string;
}

const unbuilt = notBuilt("use external where something else contains commands, such as a container");

const settings = z.strictObject({
  sandbox: z
    .strictObject({
      mode: choice(["none", "external"], { bubblewrap: unbuilt, bwrap: unbuilt })
        .optional()
        .describe("none (default): no command runs. external: something outside Sheaf contains commands"),
    })
    .optional(),
  threads: z
    .strictObject({
      count: z.int().min(1).max(256).optional().describe("worker threads; default as many as cores"),
      heap_mb: z.int().min(64).max(65_536).optional().describe("JavaScript heap of one thread, in MiB"),
    })
    .optional(),
});

/**
 * `file` is `--config`, relative to `cwd`; without it `sheaf.config.yaml` in `home` is read if it is there.
 * `repository` is the top level of the repository being worked on. Throws Fault `configuration`.
 */
export async function readSettings(options: {
  home: string;
  cwd: string;
  file?: string;
  repository?: string;
}): Promise<Settings> {
  const path =
    options.file === undefined ? join(options.home, "sheaf.config.yaml") : resolve(options.cwd, options.file);
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined && options.file === undefined) return { sandbox: { mode: "none" }, threads: {} };
  if (real !== undefined && options.repository !== undefined) await refuseInside(real, options.repository, path);
  const naming = {
    file: path,
    code: "configuration",
    remedy: "every key is described in docs/configuration.md",
  } as const;
  const text = await readText(path, naming);
  // A file with nothing but comments says nothing: defaults hold.
  const { sandbox, threads } = isOnlyComments(text) ? {} : readDocument(text, { ...naming, schema: settings }).value;
  return {
    sandbox: { mode: sandbox?.mode ?? "none" },
    threads: {
      ...(threads?.count === undefined ? {} : { count: threads.count }),
      ...(threads?.heap_mb === undefined ? {} : { heapMb: threads.heap_mb }),
    },
    file: path,
  };
}

function isOnlyComments(text: string): boolean {
  return text.split(/\r?\n/).every((line) => /^\s*(#.*)?$/.test(line));
}

async function refuseInside(real: string, repository: string, path: string): Promise<void> {
  const top = await realpath(repository).catch(() => repository);
  const inside = relative(top, real);
  if (inside.split(/[\\/]/)[0] === ".." || isAbsolute(inside)) return;
  throw new Fault("configuration", `${path}: settings are not read from the repository being worked on`, {
    remedy: "move the file out of the repository: to $SHEAF_HOME, or elsewhere with --config",
  });
}
