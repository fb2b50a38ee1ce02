import type { Database } from "../../db/database.ts";
import type { WorkspaceOwner } from "../../db/find-owners.ts";
import { listTasks } from "../../db/list-tasks.ts";
import { eventPage, readRunEvents } from "../../db/read-events.ts";
import type { Event } from "../../protocol/event.ts";
import { Fault } from "../../protocol/failure.ts";
import { type RawPath, toRaw } from "../../workspace/raw-path.ts";

/** What the log says of a workspace that was left behind. */
export interface Leftover {
  /** What it began as. */
  baseTree: string;
  /** What is kept of its task, if anything is. */
  keptTree: string | undefined;
  /** Paths that its tools wrote, or deleted. */
  written: ReadonlySet<RawPath>;
  deleted: ReadonlySet<RawPath>;
}

/** Throws Fault `internal` where the log does not say what the workspace began as. */
export async function readLeftover({ runId, jobId, taskId }: WorkspaceOwner, database: Database): Promise<Leftover> {
  const last = new Map<RawPath, boolean>();
  let baseTree: string | undefined;
  for await (const event of runLog(runId, database)) {
    if (event.type === "run.started") baseTree = event.data.base_tree;
    if (event.type !== "tool.finished") continue;
    for (const { path, blob } of event.data.changed ?? []) last.set(toRaw(path), blob !== null);
  }
  if (baseTree === undefined) throw new Fault("internal", "its log does not say which tree it began as");
  const tasks = await listTasks(jobId, database);
  const keptTree = tasks.find(({ id }) => id === taskId)?.resultTree ?? undefined;
  const of = (isThere: boolean) => new Set([...last].filter(([, is]) => is === isThere).map(([path]) => path));
  return { baseTree, keptTree, written: of(true), deleted: of(false) };
}

async function* runLog(runId: WorkspaceOwner["runId"], database: Database): AsyncGenerator<Event> {
  for (let after = 0; ; ) {
    const page = await readRunEvents(runId, after, database);
    yield* page;
    after = page.at(-1)?.seq ?? after;
    if (page.length < eventPage) return;
  }
}
