import type { RunRecord } from "../../protocol/record.ts";
import { changesOf } from "../../workspace/diff.ts";
import type { Repository } from "../../workspace/repository.ts";
import type { TakenTree } from "../../workspace/workspace.ts";
import { spentIn } from "../result/result-usage.ts";
import type { FinishedRun } from "../tasks/step-order.ts";
import type { PastRun } from "./history.ts";

/** What a run came to, into its log and out of it again: whoever goes on with its task needs no more than that. */

type Kept = Omit<FinishedRun, "spent" | "model" | "endsJob">;

export function runRecord({ report, taken, ...run }: Kept): RunRecord {
  const { traceparent } = report;
  return {
    denials: [...run.denials],
    has_thread_died: run.hasThreadDied,
    ...(run.hasDiedAlone ? { has_died_alone: true } : {}),
    ...(run.approved && run.approved.length > 0 ? { approved: [...run.approved] } : {}),
    ...(taken && taken.ignored.length > 0 ? { ignored: taken.ignored } : {}),
    ...(taken && taken.refused.length > 0 ? { refused: taken.refused } : {}),
    ...(run.hasEndedWell === undefined ? {} : { has_ended_well: run.hasEndedWell }),
    ...(run.tail === undefined ? {} : { tail: run.tail }),
    ...(run.failed ? { failed: run.failed } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** Undefined for a run that did not come to an end, or whose log says too little of it. */
export async function restoreRun(
  { started, finished, events }: PastRun,
  repository: Repository,
): Promise<FinishedRun | undefined> {
  if (!isKept(finished)) return undefined;
  const { record, state, failure, submission, turns, usage, tree } = finished;
  const taken = tree === undefined ? undefined : await takenAgain(started.base_tree, { tree, record }, repository);
  if (tree !== undefined && !taken) return undefined;
  const { traceparent } = record;
  return {
    report: {
      ...{ state, turns, usage },
      ...(failure ? { failure } : {}),
      ...(submission ? { submission } : {}),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    spent: spentIn(events),
    ...(taken ? { taken } : {}),
    denials: record.denials,
    ...(record.approved ? { approved: record.approved } : {}),
    ...deathIn(record),
    ...(record.has_ended_well === undefined ? {} : { hasEndedWell: record.has_ended_well }),
    ...(record.tail === undefined ? {} : { tail: record.tail }),
    ...(record.failed ? { failed: record.failed } : {}),
  };
}

function deathIn(record: RunRecord): Pick<FinishedRun, "hasThreadDied" | "hasDiedAlone"> {
  const { has_thread_died: hasThreadDied, has_died_alone: hasDiedAlone } = record;
  return { hasThreadDied, ...(hasDiedAlone ? { hasDiedAlone } : {}) };
}

type Ended = NonNullable<PastRun["finished"]>;

/** Whoever ended a run as interrupted would have begun its step anew. */
function isKept(finished: Ended | undefined): finished is Ended & { record: RunRecord } {
  return finished?.record !== undefined && finished.failure?.code !== "interrupted";
}

/** Undefined where the tree is gone: it was never kept by a ref, and git may have collected it. */
async function takenAgain(
  base: string,
  { tree, record }: { tree: string; record: RunRecord },
  repository: Repository,
): Promise<TakenTree | undefined> {
  if (!(await repository.objects.info(tree))) return undefined;
  const touched = base === tree ? [] : await changesOf(repository, base, tree);
  const refused = (record.refused ?? []).map(({ path, rule, reason }) => ({ path, reason, ...(rule ? { rule } : {}) }));
  return { tree, touched, ignored: record.ignored ?? [], refused };
}
