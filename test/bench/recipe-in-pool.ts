import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { openGate } from "../../src/coordinator/gate/admission.ts";
import { HostPort } from "../../src/coordinator/port.ts";
import { openPool, type Pool } from "../../src/coordinator/threads/pool.ts";
import { runId, taskId } from "../../src/protocol/ids.ts";
import type { Scope } from "../../src/protocol/scope.ts";
import type { RunOrder } from "../../src/protocol/thread.ts";
import { toolNames } from "../../src/tools/catalog.ts";
import { resolveBase } from "../../src/workspace/base.ts";
import { writeBundle } from "../../src/workspace/bundle.ts";
import { createGit } from "../../src/workspace/git.ts";
import { toText } from "../../src/workspace/raw-path.ts";
import { openRepository, type Repository } from "../../src/workspace/repository.ts";
import { listTree } from "../../src/workspace/tree.ts";
import { createWorkspace, type Workspace } from "../../src/workspace/workspace.ts";

/** Files of one run, as a job splits them, and runs under way per thread. */
const filesPerRun = 250;
const runsPerThread = 2;

/**
 * The recipe as threads run it: whole runs through the real pool and ports, over workspaces made beforehand. Without
 * database, git or a tree taken at the end, so that it says what a second thread is worth, in milliseconds.
 */
export async function recipeInPool(
  directory: string,
  { repository: path, threads }: { repository: string; threads: number },
): Promise<number> {
  const home = join(directory, "pool-home");
  await mkdir(home, { recursive: true });
  const repository = await openRepository(path, { home, git: createGit({ path: process.env.PATH ?? "" }) });
  const place = await mkdtemp(join(home, "runs-"));
  const pool = openPool({ threads, runsPerThread, now: () => performance.now() });
  try {
    const { warming, work } = await prepare(repository, place, threads * runsPerThread);
    await runAll(warming, pool, threads);
    const started = performance.now();
    await runAll(work, pool, threads);
    return performance.now() - started;
  } finally {
    await pool.close();
    await repository.close();
    await rm(place, { recursive: true, force: true });
  }
}

interface Prepared {
  order: RunOrder;
  workspace: Workspace;
}

/** All files in runs, and small runs before them so that every thread has loaded what it needs. */
async function prepare(repository: Repository, place: string, warmers: number) {
  const { base } = await resolveBase(repository, "HEAD", { includeDirty: false });
  const entries = await listTree(repository, base.tree);
  const paths = entries.flatMap(({ path }) => toText(path) ?? []);
  const make = async (name: string, files: string[]): Promise<Prepared> => {
    const workspace = await createWorkspace(repository, { directory: join(place, name), tree: base.tree });
    const bundle = await writeBundle(repository, {
      tree: base.tree,
      paths: files,
      file: join(workspace.scratch, "bundle"),
    });
    return { workspace, order: orderOf(files, workspace, bundle) };
  };
  const warming: Prepared[] = [];
  for (let count = 0; count < warmers; count++) warming.push(await make(`warm-${count}`, paths.slice(0, 25)));
  const work: Prepared[] = [];
  for (let start = 0; start < paths.length; start += filesPerRun) {
    work.push(await make(String(start), paths.slice(start, start + filesPerRun)));
  }
  return { warming, work };
}

function orderOf(files: string[], { root, scratch }: Workspace, bundle: RunOrder["workspace"]["bundle"]): RunOrder {
  const whole = { directories: [""] };
  const allow: Scope["layers"][number]["allow"] = [
    { id: "Read", tool: "Read", paths: whole },
    { id: "Edit", tool: "Edit", paths: whole },
  ];
  const model = { provider: "recipe" as const, recipe: { name: "node-protocol" as const } };
  return {
    run_id: runId.parse("0190a0a0-0000-7000-8000-000000000000"),
    task_id: taskId.parse("part"),
    title: "part",
    agent: { name: "node-protocol", model, instructions: "" },
    prompt: "",
    brief: "",
    leftovers: [],
    files,
    scope: { layers: [{ source: "task", allow, deny: [] }], tools: [...toolNames] },
    workspace: { root, scratch, object_format: "sha1", is_case_insensitive: false, ...(bundle ? { bundle } : {}) },
    traceparent: `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`,
    max_turns: 5,
  };
}

async function runAll(prepared: readonly Prepared[], pool: Pool, threads: number): Promise<void> {
  const waiting = [...prepared];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await runOne(next, pool);
  };
  await Promise.all(Array.from({ length: threads * runsPerThread }, work));
}

async function runOne({ order, workspace }: Prepared, pool: Pool): Promise<void> {
  const port = new HostPort({
    scope: order.scope,
    root: workspace.root,
    isCaseInsensitive: false,
    behind: async () => ({ kind: "missing" }),
    append: async () => {},
    ask: ({ decision }) => Promise.resolve({ decision: { ...decision, effect: "deny" }, facts: [] }),
    call: () => Promise.reject(new Error("a recipe runs no command")),
    fetch: (path, want) => (want === "read" ? workspace.fetch(path, 2 ** 24) : workspace.materialise(path)),
    names: (prefix) => workspace.names(prefix, 1_000),
    desk: { answer: () => Promise.reject(new Error("a recipe searches nothing")), own: () => {} },
    gate: openGate,
    span: () => {},
    progressed: () => {},
    now: () => performance.now(),
  });
  const answer = await pool.run(order, port.threadEnd, { isAlone: false });
  await port.close();
  if (answer.kind === "died") throw new Error(answer.failure.message);
  if (answer.report.state !== "succeeded") throw new Error(answer.report.failure?.message ?? "the run failed");
}
