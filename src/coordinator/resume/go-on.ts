import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ClaimedRun } from "../../db/claim-run.ts";
import type { Failure } from "../../protocol/failure.ts";
import { removeFolder } from "../../workspace/remove-folder.ts";
import type { Around } from "../commands/setup.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { modelOf, usageIn } from "../result/open-runs.ts";
import { endRun } from "../tasks/claimed-run.ts";
import type { FinishedRun, StepOrder } from "../tasks/step-order.ts";
import { forgetQuestions } from "./forget-questions.ts";
import type { PastRun } from "./history.ts";
import { Parted } from "./parted.ts";

/** Owners that a run may have had: each of them ended while it ran, and it may be why. A wake knows which of them died. */
const mostOwners = 10;

/** Why a run that was begun before is not gone on with. `hasParted`: its step is begun anew. */
interface Refusal {
  failure: Failure;
  hasParted: boolean;
  past: PastRun;
  claimed: ClaimedRun;
}

export function refuseToGoOn({ past, outside }: StepOrder, { wake }: Pick<Job, "wake">): Refusal | undefined {
  if (!past?.claimed) return undefined;
  const { claimed, started } = past;
  const owners = Math.min(claimed.epoch, (wake?.crashes ?? mostOwners) + 1);
  if (owners > mostOwners) return { failure: poisoned(claimed), hasParted: false, past, claimed };
  if (isDeepStrictEqual(started.tools ?? [], [...(outside?.pinned ?? [])])) return undefined;
  const { failure } = new Parted("the tools of its servers are no longer those that it was offered");
  return { failure, hasParted: true, past, claimed };
}

export function poisoned({ epoch, runId }: ClaimedRun): Failure {
  return {
    code: "interrupted_often",
    message: `${epoch - 1} processes ended while they ran it, and it is not gone on with once more`,
    remedy: `see the last events of its log (run ${runId}), and what the machine says of the processes: memory above all`,
  };
}

/** Ends a run that is not gone on with, with all that its log says it used. */
export async function endPast(
  { failure, hasParted, claimed, past: { events } }: Refusal,
  around: Around,
): Promise<FinishedRun> {
  const spent = usageIn(events, around.equipment.models);
  const model = modelOf(events);
  const turns = events.filter(({ type }) => type === "turn.finished").length;
  const state = hasParted ? ("cancelled" as const) : ("failed" as const);
  const finished: FinishedRun = {
    report: { state, failure, turns, usage: spent.usage },
    spent,
    ...(model === undefined ? {} : { model }),
    denials: [],
    hasThreadDied: false,
    hasParted,
  };
  await forgetQuestions(claimed, around);
  await endRun(claimed, finished, around);
  return finished;
}

/**
 * Folders of those who had the run before: what they hold is in its log, or is done again. Those of whoever has it after
 * this process are never touched.
 */
export async function removeOlder(
  { runId, epoch }: ClaimedRun,
  { job, equipment: { home } }: { job: Pick<Job, "standing">; equipment: Pick<Equipment, "home"> },
): Promise<void> {
  await job.standing.confirm();
  const folder = join(home, "workspaces");
  const older = (await readdir(folder)).filter((name) => (epochOf(name, runId) ?? epoch) < epoch);
  for (const name of older) await removeFolder(join(folder, name));
}

/** Whose folder it is; undefined where it is none of this run. */
function epochOf(name: string, id: string): number | undefined {
  const digits = name.startsWith(`${id}-`) ? name.slice(id.length + 1) : "";
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}
