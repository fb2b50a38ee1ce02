import { z } from "zod";
import { findStarted } from "../../db/find-run.ts";
import type { FactData } from "../../protocol/event.ts";
import { runId } from "../../protocol/ids.ts";
import { changesOf } from "../../workspace/diff.ts";
import type { AllowedCall } from "../calls/call-book.ts";
import { noteStarted } from "../calls/run-agent-call.ts";
import type { CommandPlace, Told } from "../calls/run-tool-command.ts";
import { showFinished } from "../calls/started-agent-text.ts";
import { eventsOfRun } from "./events-of.ts";
import { Parted } from "./parted.ts";
import type { PastResult } from "./past-calls.ts";
import type { PastLog } from "./past-log.ts";

/**
 * A call that left its thread, of a run that goes on. What has a result is not done again: its files are put where they
 * were. What may have been under way is done again only where all that it did is undone, or where somebody said that it
 * may be done twice.
 */
export async function answerCall(
  call: AllowedCall,
  { past, place, live }: { past: PastLog; place: CommandPlace; live: () => Promise<Told> },
): Promise<Told> {
  const result = past.result(call.callId);
  if (result) return bringBack(call, result, place);
  // Where something was said anew before it, and the log does not hold its intent, nobody can have begun it.
  const isNew = past.isLive && !past.mayHaveBegun(call.callId);
  past.goLive(`${call.tool} (call ${call.callId})`);
  if (!isNew && call.kind === "agent") {
    const told = await tellEnded(call, place);
    if (told) return told;
  }
  if (!isNew && !(await mayRepeat(call, place))) return tellUnknown(call, place);
  // Its intent was not appended now, so nothing has shown yet that the job is still this process's.
  await place.job.standing.confirm();
  return live();
}

async function mayRepeat(call: AllowedCall, { order, job, equipment }: CommandPlace): Promise<boolean> {
  switch (call.kind) {
    // Sheaf's own sandbox held all that it did, and its files are those from before it. Of another one nobody knows.
    case "command": {
      const sandbox = await equipment.sandbox();
      const isHeld = !("unavailable" in sandbox) && sandbox.mode === "bubblewrap";
      return isHeld && (order.step.network ?? []).length === 0;
    }
    // The run that was begun for it has been ended; this is another.
    case "agent":
      return true;
    case "server":
      return job.spec.servers?.find(({ name }) => name === call.server)?.repeatable === true;
  }
}

const unknown =
  "Outcome unknown: the process that ran this ended before it could tell. It may have done all of it, some of it, or " +
  "nothing. Look at what there is before you ask for it again.";

async function tellUnknown({ callId, tool }: AllowedCall, { job, run }: CommandPlace): Promise<Told> {
  const receipt = { outcome: "unknown" };
  const data = { call_id: callId, tool, is_error: true, content: unknown, receipt };
  await job.logRun(run, [{ type: "tool.finished", data }]);
  return { content: unknown, isError: true, denials: [] };
}

/** The agent was through, and its process ended before whoever had started it was told. */
async function tellEnded(call: AllowedCall<"agent">, place: CommandPlace): Promise<Told | undefined> {
  const { job, run, equipment, workspace } = place;
  const id = (await findStarted(run.runId, equipment.database)).at(-1);
  const ended = id === undefined || isTold(id, place) ? undefined : await endOf(id, place);
  if (id === undefined || ended?.tree === undefined || ended.failure?.code === "interrupted") return undefined;
  const { tree: from } = await workspace.takeTree();
  const changes = from === ended.tree ? [] : await changesOf(job.repository, from, ended.tree);
  const back = await bringAgentBack(id, call.callId, place);
  const content = equipment.redact(showFinished(call.name, ended, changes.length));
  const isError = ended.state !== "succeeded";
  const receipt = { run_id: id, state: ended.state, files_changed: changes.length };
  const data = { call_id: call.callId, tool: call.tool, is_error: isError, content, receipt };
  await job.logRun(run, [{ type: "tool.finished", data }]);
  return { content, isError, ...back };
}

function isTold(id: string, { order }: CommandPlace): boolean {
  const events = order.past?.events ?? [];
  return events.some((event) => event.type === "tool.finished" && event.data.receipt?.run_id === id);
}

const seen = z.object({
  output_sha256: z.string().optional(),
  tree_before: z.string().optional(),
  tree_after: z.string().optional(),
  run_id: z.string().optional(),
});

async function bringBack(
  { kind, callId, tool }: AllowedCall,
  { finished, denials }: PastResult,
  place: CommandPlace,
): Promise<Told> {
  const { content, is_error: isError, receipt } = finished;
  const { tree_before: from, tree_after: to, run_id: id, output_sha256: artifact } = seen.parse(receipt ?? {});
  const told = { content, isError, ...(artifact === undefined ? {} : { artifact }) };
  const denied = denials.map(({ tool: by, input, rule, reason }) => ({ tool: by, input, rule, reason }));
  if (kind === "agent") return { ...told, ...(await bringAgentBack(id, callId, place)) };
  if (from === undefined || to === undefined) return { ...told, denials: denied };
  await restore({ from, to }, `${tool} (call ${callId})`, place);
  return { ...told, denials: denied, hasChanged: from !== to };
}

/** It worked in the same files; what it left is the tree of its own end. */
async function bringAgentBack(
  id: string | undefined,
  callId: string,
  place: CommandPlace,
): Promise<Pick<Told, "denials" | "hasChanged">> {
  if (id === undefined) return { denials: [] };
  noteStarted(place.run);
  const ended = await endOf(id, place);
  if (ended?.tree === undefined)
    throw new Parted(`nothing is known of the end of the agent that call ${callId} started`);
  const { record, tree: to } = ended;
  place.job.questions.allowEdits(place.run.runId, record?.approved ?? []);
  const { tree: from } = await place.workspace.takeTree();
  await restore({ from, to }, `the agent of call ${callId}`, place);
  return { denials: record?.denials ?? [], hasChanged: from !== to };
}

/** By its own log: it may have ended in this very process. */
async function endOf(id: string, { equipment }: CommandPlace): Promise<FactData<"run.finished"> | undefined> {
  const events = await eventsOfRun(runId.parse(id), equipment.database);
  const event = events.findLast((each) => each.type === "run.finished");
  return event?.type === "run.finished" ? event.data : undefined;
}

async function restore(trees: { from: string; to: string }, what: string, { job, workspace }: CommandPlace) {
  if (!(await job.repository.objects.info(trees.to))) throw new Parted(`the tree that ${what} left is gone`);
  if (!(await workspace.restore(trees))) throw new Parted(`the files are not those that ${what} had`);
}
