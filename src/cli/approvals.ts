import type { Coordinator } from "../coordinator/coordinator.ts";
import type { ApprovalView } from "../protocol/approval.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobId } from "../protocol/ids.ts";
import { questionLines, shortId } from "./approval-text.ts";
import { formatOption, wholeNumber } from "./options.ts";
import type { Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";
import { duration, oneLine } from "./words.ts";

export const addApprovals: Verb = (program, around) => {
  program
    .command("approvals")
    .description("Questions that wait for an answer: approve or deny them")
    .argument("[job]", "id, handle or last; without one: of all jobs")
    .option("--all", "those that are settled too")
    .option("-n, --limit <count>", "how many", wholeNumber, 50)
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText("after", "\nExamples:\n  sheaf approvals\n  sheaf approvals refactor-3 --all")
    .action((name: string | undefined, options: Options) => print(name, options, around));
};

interface Options {
  all?: boolean;
  limit: number;
  outputFormat: string;
}

async function print(name: string | undefined, options: Options, around: Surroundings): Promise<void> {
  const { terminal, now } = around;
  await using session = await around.open("approvals");
  const { coordinator } = session;
  const state = options.all ? undefined : ("pending" as const);
  const found = await newest({ job: name, state, limit: options.limit }, coordinator);
  if (options.outputFormat === "json") terminal.print(JSON.stringify(found, null, 2));
  else if (found.length === 0) terminal.tell(options.all ? "nobody was asked" : "nothing waits for an answer");
  else for (const line of await approvalLines(found, { coordinator, now })) terminal.print(line);
}

const mostOfPage = 200;

async function newest(
  { limit, ...query }: { job: string | undefined; state: "pending" | undefined; limit: number },
  coordinator: Coordinator,
): Promise<ApprovalView[]> {
  const all: ApprovalView[] = [];
  for (let after: string | undefined; all.length < limit; ) {
    const page = await coordinator.approvals({ ...query, limit: Math.min(limit - all.length, mostOfPage), after });
    all.push(...page.approvals);
    after = page.next;
    if (after === undefined) break;
  }
  return all;
}

/** The one that has waited longest first. */
async function approvalLines(
  found: readonly ApprovalView[],
  { coordinator, now }: { coordinator: Coordinator; now: () => number },
): Promise<string[]> {
  const handles = new Map<string, string>();
  for (const id of new Set(found.map((each) => each.job_id))) {
    handles.set(id, await handleOf(id, coordinator));
  }
  return found
    .toReversed()
    .flatMap((each) => [
      `${shortId(each.id)}  ${handles.get(each.job_id)}  ${each.task_id}  ${oneLine(each.tool, 60)}  ${stateOf(each, now)}`,
      ...questionLines(each),
    ]);
}

/** Whoever may answer need not be one who may look at jobs. */
async function handleOf(id: JobId, coordinator: Coordinator): Promise<string> {
  try {
    return (await coordinator.job(id))?.handle ?? id;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "credentials") return id;
    throw thrown;
  }
}

function stateOf({ state, expires_at, decided_by, remember, note }: ApprovalView, now: () => number): string {
  if (state === "pending") return `pending, ${duration(Math.max(0, Date.parse(expires_at) - now()))} left`;
  const who = decided_by === undefined ? "" : ` by ${oneLine(decided_by, 60)}`;
  const told = note === undefined ? "" : `: ${oneLine(note, 200)}`;
  return `${state}${who}${remember ? " for the job" : ""}${told}`;
}
