import type { Command } from "commander";
import type { Coordinator } from "../coordinator/coordinator.ts";
import type { ApprovalAnswer, ApprovalView } from "../protocol/approval.ts";
import { Fault } from "../protocol/failure.ts";
import { plainLine, shortId } from "./approval-text.ts";
import type { Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";
import { oneLine } from "./words.ts";

export const addApprove: Verb = (program, around) => {
  withAnswer(program.command("approve").description("Allows a call that waits for an answer"), "allow", around)
    .option("--remember", "for the rest of the job: whatever `sheaf approvals` shows as always")
    .addHelpText("after", "\nExamples:\n  sheaf approve 3f2a91c0\n  sheaf approve 3f2a91c0 --remember");
};

export const addDeny: Verb = (program, around) => {
  withAnswer(program.command("deny").description("Denies a call that waits for an answer"), "deny", around)
    .option("--remember", "for the rest of the job: whatever `sheaf approvals` shows as always")
    .addHelpText("after", "\nExample:\n  sheaf deny 3f2a91c0 --note 'use npm ci, and not npm install'");
};

interface AnswerOptions {
  note?: string;
  remember?: boolean;
}

function withAnswer(command: Command, decision: ApprovalAnswer["decision"], around: Surroundings): Command {
  return command
    .argument("<id...>", "ids as `sheaf approvals` shows them, or their first characters")
    .option("--note <text>", decision === "deny" ? "what the agent is told" : "why, for the log")
    .action((ids: string[], { note, remember }: AnswerOptions) => {
      const answer = { decision, ...(remember ? { remember } : {}), ...(note === undefined ? {} : { note }) };
      return answerAll(ids, answer, around);
    });
}

async function answerAll(ids: readonly string[], answer: ApprovalAnswer, around: Surroundings): Promise<void> {
  if ((answer.note?.length ?? 0) > 1_000) throw new Fault("usage", "--note: it has more than 1,000 characters");
  await using session = await around.open(answer.decision === "allow" ? "approve" : "deny");
  const { coordinator } = session;
  // All are found before any is answered: a slip in one id answers nothing.
  const found: ApprovalView[] = [];
  for (const id of new Set(ids)) found.push(await findQuestion(id, coordinator));
  for (const each of found) around.terminal.tell(await decide(each, answer, coordinator));
}

/** By its id, or the first characters of one, of those that wait before those that are settled. */
async function findQuestion(written: string, coordinator: Coordinator): Promise<ApprovalView> {
  const prefix = written.toLowerCase();
  if (!/^[0-9a-f][0-9a-f-]{3,35}$/.test(prefix)) throw unknown(written);
  for (const state of ["pending", undefined] as const) {
    const { approvals } = await coordinator.approvals({ prefix, state, limit: 5 });
    const [first, ...others] = approvals;
    if (first && others.length === 0) return first;
    if (first) {
      throw new Fault("usage", `${written} is the beginning of ${approvals.map(({ id }) => id).join(", ")}`, {
        remedy: "write more of the one that is meant",
      });
    }
  }
  throw unknown(written);
}

function unknown(written: string): Fault {
  return new Fault("usage", `there is no approval ${JSON.stringify(written.slice(0, 100))}`, {
    remedy: "sheaf approvals shows those that wait",
  });
}

async function decide(asked: ApprovalView, answer: ApprovalAnswer, coordinator: Coordinator): Promise<string> {
  const decided = await coordinator.decideApproval(asked.id, answer, "operator");
  if (decided.kind === "unknown") throw unknown(asked.id);
  if (decided.kind === "settled") throw tooLate(decided.approval);
  const { id, state, task_id, tool, input, suggestion } = decided.approval;
  const what = `${shortId(id)}  ${state}  ${task_id}: ${plainLine(`${tool} ${input}`, 160)}`;
  return answer.remember ? `${what}; for the rest of the job: ${oneLine(suggestion ?? "this very call", 400)}` : what;
}

/** The first answer counts, and this one was not it. */
export function tooLate({ id, state, decided_by, expires_at }: ApprovalView): Fault {
  const remedy = "sheaf approvals --all shows what became of it";
  if (decided_by !== undefined) {
    return new Fault("conflict", `${shortId(id)} was ${state} by ${oneLine(decided_by, 60)} already`, { remedy });
  }
  const why = state === "withdrawn" ? "was withdrawn: its run is over" : `expired at ${expires_at}`;
  return new Fault("conflict", `${shortId(id)} ${why}`, { remedy });
}
