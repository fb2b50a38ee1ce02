import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Test files by what they need around them, found out from what stands in them, so that no list has to be kept. */
const root = join(import.meta.dirname, "..");

/** They start processes, threads, databases or repositories, or change what another file could see: each runs alone. */
const folders = /^test\/(ci|db|end-to-end|http|rewrite|sandbox|shell|telemetry|webhook|workspace)\//;
const needs =
  /support\/(bench-job|database|databases|equipment|fill-disk|many-tips|plant|postgres|sabotage|sandboxed|shared-database|sheaf|thinking-job)\.ts"|(playground|served)\.ts"|node:(child_process|worker_threads)"/;

const all = globSync("test/**/*.test.ts", { cwd: root }).filter((path) => !path.startsWith("test/fixtures/"));
const isAlone = (path: string) =>
  folders.test(path) ||
  /(architecture|bin|oracle)\.test\.ts$/.test(path) ||
  needs.test(readFileSync(join(root, path), "utf8"));

export const alone = all.filter(isAlone);
/** What is proven without a database, a thread pool, a process or a repository. */
export const together = all.filter((path) => !isAlone(path));
