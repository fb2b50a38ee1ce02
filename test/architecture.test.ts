import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { cruiseArchitecture } from "./cruise.ts";

const repository = resolve(import.meta.dirname, "..");

describe("the law of imports", () => {
  it("holds over the real tree, and really reads it", async () => {
    const { modules, violations } = await cruiseArchitecture(repository);
    expect(violations).toEqual([]);
    expect(modules.tree).toBeGreaterThan(50);
    expect(modules.thread).toBeGreaterThan(20);
  });

  it("finds no fault in a small lawful tree", async () => {
    expect(await rulesBroken({})).toEqual([]);
  });

  it.each<[title: string, rule: string, planted: Record<string, string>]>([
    [
      "an upward import",
      "imports-point-downward",
      { "src/files/read.ts": `import { open } from "../coordinator/open.ts"; open();` },
    ],
    [
      "an upward import of a type alone",
      "imports-point-downward",
      { "src/files/read.ts": `import type { open } from "../coordinator/open.ts"; export type A = typeof open;` },
    ],
    [
      "an upward import behind an await",
      "imports-point-downward",
      { "src/files/read.ts": `export async function a() { return await import("../coordinator/open.ts"); }` },
    ],
    [
      "an upward import inside a type",
      "no-import-inside-a-type",
      { "src/files/read.ts": `export type A = readonly import("../coordinator/open.ts").Opened[];` },
    ],
    [
      "an import between equals",
      "equals-do-not-import-each-other",
      { "src/model/model.ts": `import { store } from "../db/store.ts"; store();` },
    ],
    [
      "an import of the composition root",
      "main-is-imported-by-nobody",
      { "src/main.ts": `export const a = 1;`, "src/cli/list.ts": `import { a } from "../main.ts"; a.toString();` },
    ],
    ["a folder without a rank", "every-folder-has-a-rank", unranked()],
    [
      "a vendor package outside its folder",
      "one-vendor-one-folder",
      { "src/coordinator/query.ts": `import { sql } from "drizzle-orm"; sql.raw("");` },
    ],
    [
      "a vendor package whose types leak",
      "one-vendor-one-folder",
      { "src/coordinator/query.ts": `import type { Pool } from "pg"; export type A = Pool;` },
    ],
    [
      "a vendor package that nobody owns",
      "every-vendor-has-an-owner",
      { "src/coordinator/query.ts": `import fc from "fast-check"; fc.sample(fc.nat());` },
    ],
    [
      "IO in the vocabulary",
      "protocol-imports-only-zod",
      { "src/protocol/ids.ts": `import { randomUUID } from "node:crypto"; export const id = randomUUID;` },
    ],
    [
      "a child process where none may be started",
      "doors-open-where-agreed",
      { "src/coordinator/spawn.ts": `import { spawn } from "node:child_process"; spawn("ls");` },
    ],
    [
      "a file opened by a recipe",
      "doors-open-where-agreed",
      { "src/rewrite/scan.ts": `import { readFile } from "fs/promises"; await readFile("a");` },
    ],
    [
      "a socket anywhere",
      "doors-open-where-agreed",
      { "src/coordinator/listen.ts": `import { createServer } from "node:net"; createServer();` },
    ],
    ["a thread that reaches the database", "a-thread-reaches-no-database", inThread(`import "../db/store.ts";`)],
    [
      "a thread that reaches the database through its package",
      "a-thread-reaches-no-database",
      inThread(`import "drizzle-orm/pg-core";`),
    ],
    ["a thread that leaves its world", "a-thread-stays-in-its-world", inThread(`import "../workspace/git.ts";`)],
    [
      "a thread that reaches child processes",
      "a-thread-reaches-no-child-process",
      inThread(`import { exec } from "child_process"; exec("ls");`),
    ],
    [
      "a thread that reaches child processes through a vendor package",
      "a-thread-reaches-no-child-process",
      inThread(`import { Command } from "commander"; new Command();`),
    ],
    [
      "a thread that reaches child processes through a package of a vendor package",
      "a-thread-reaches-no-child-process",
      inThread(`import "@opentelemetry/sdk-trace";`),
    ],
    [
      "a thread that reaches the network through a vendor package",
      "a-thread-reaches-no-network",
      inThread(`import "pg";`),
    ],
    [
      "a thread entry imported instead of started",
      "threads-are-started-by-address",
      { "src/coordinator/threads/pool.ts": `import work from "../../../workers/agent.ts"; work();` },
    ],
    [
      "a module chosen at run time",
      "no-import-out-of-sight",
      { "src/agent/turn.ts": "export const load = (name: string) => import(name);" },
    ],
    [
      "a built-in module fetched by a side door",
      "no-import-out-of-sight",
      { "src/agent/turn.ts": `process.getBuiltinModule("node:child_process");` },
    ],
    [
      "the environment, read",
      "environment-is-read-in-config",
      { "src/agent/turn.ts": "export const a = process.env.HOME;" },
    ],
    [
      "the environment, handed on by anyone but main",
      "environment-is-handed-over-by-main",
      { "src/agent/turn.ts": "export const a = (take: (env: object) => void) => take(process.env);" },
    ],
    [
      "the environment, read by main itself",
      "environment-is-read-in-config",
      { "src/main.ts": "const { HOME } = process.env; process.stdout.write(String(HOME));" },
    ],
    [
      "the environment, read by another name",
      "environment-is-read-in-config",
      { "src/agent/turn.ts": `import { env } from "node:process"; export const a = env;` },
    ],
    [
      "the environment, taken apart",
      "environment-is-read-in-config",
      { "src/agent/turn.ts": `const { env: e } = process; export const a = e;` },
    ],
    ["a file that does not exist", "imports-resolve", { "src/agent/turn.ts": `import "./nowhere.ts";` }],
  ])("catches %s", async (_title, rule, planted) => {
    expect(await rulesBroken(planted)).toContain(rule);
  });

  it("lets a thread name the store's types, which nothing loads", async () => {
    const planted = inThread(`import type { sql } from "drizzle-orm"; export type A = typeof sql;`);
    expect(await rulesBroken(planted)).toEqual(["one-vendor-one-folder"]);
  });

  it("reads past `using` and `await using`", async () => {
    const source = `export async function a(b: AsyncDisposable) {
      await using c = b;
      using d = { [Symbol.dispose]: () => import("../coordinator/open.ts") };
      return [c, d];
    }`;
    expect(await rulesBroken({ "src/files/read.ts": source })).toEqual(["imports-point-downward"]);
  });
});

/** The names of the rules that a small lawful tree breaks once `planted` is written over it. */
async function rulesBroken(planted: Record<string, string>): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), "sheaf-architecture-"));
  try {
    for (const [path, source] of Object.entries({ ...lawful, ...planted })) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), source);
    }
    await symlink(join(repository, "node_modules"), join(root, "node_modules"));
    const { violations } = await cruiseArchitecture(root);
    return [...new Set(violations.map(({ rule }) => rule))];
  } finally {
    await rm(root, { recursive: true });
  }
}

const lawful: Record<string, string> = {
  "workers/agent.ts": `import { run } from "../src/agent/run.ts"; export default () => run();`,
  "src/protocol/job.ts": `import { z } from "zod"; export const job = z.object({});`,
  "src/files/write.ts": `import { writeFile } from "node:fs/promises"; export const write = writeFile;`,
  "src/agent/run.ts": `import { write } from "../files/write.ts"; export const run = () => write("a", "b");`,
  "src/workspace/git.ts": `import { spawn } from "node:child_process"; export const git = () => spawn("git");`,
  "src/db/store.ts": `import { sql } from "drizzle-orm"; import pg from "pg"; export const store = () => [sql, pg];`,
  "src/coordinator/open.ts": `import { store } from "../db/store.ts";
    import { git } from "../workspace/git.ts";
    import type { job } from "../protocol/job.ts";
    export type Opened = typeof job;
    export const open = () => [store(), git()];`,
};

/** `source` is what a thread runs besides the lawful tree. */
function inThread(source: string): Record<string, string> {
  return {
    "src/agent/extra.ts": source,
    "src/agent/run.ts": `import "./extra.ts"; export const run = () => undefined;`,
  };
}

function unranked(): Record<string, string> {
  return {
    "src/helpers/pad.ts": "export const pad = 1;",
    "src/agent/turn.ts": `import { pad } from "../helpers/pad.ts"; pad.toString();`,
  };
}
