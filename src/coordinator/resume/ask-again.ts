import { findApproval, findQuestions, type StoredApproval } from "../../db/find-approval.ts";
import { decisionOf } from "../approvals/approval-decision.ts";
import { type Answered, type Asking, askApproval, askedOf, type Question } from "../approvals/ask-approval.ts";
import { narrow } from "./narrow.ts";
import { Parted } from "./parted.ts";
import type { PastLog } from "./past-log.ts";

/**
 * A question of a run that goes on. What was answered is not asked again, and one that waits for its answer stays the
 * question that it is: also an answer that came while nobody was there counts.
 */
export async function askAgain(question: Question, past: PastLog, around: Asking): Promise<Answered> {
  const { callId } = question;
  const recorded = past.recorded(callId);
  const asked = past.question(callId);
  if (asked) return answerTo(question, asked, around);
  const decision = narrow(question.decision, recorded);
  // By an answer to another call that holds for this one too, or nobody was asked.
  if (decision.effect !== "ask") return { decision, facts: [] };
  past.goLive(`a question about call ${callId}`);
  const stored = await storedFor(question, past, around);
  return askApproval(question, around, stored && { approval: stored, isLogged: false });
}

async function answerTo(
  question: Question,
  { id, isOver }: { id: string; isOver: boolean },
  around: Asking,
): Promise<Answered> {
  const { job, run, equipment } = around;
  const approval = await findApproval(id, equipment.database);
  if (!approval) throw new Parted(`its question ${id} is not stored any more`);
  if (!isOver) return askApproval(question, around, { approval, isLogged: true });
  const decision = decisionOf(approval, question);
  if (decision.effect === "allow") job.questions.allowEdits(run.runId, question.edits ?? []);
  if (approval.remember) job.questions.remember(askedOf(question), approval);
  return { decision, facts: [] };
}

/** It was stored, and its process ended before the log had it. An answer is for this very input alone. */
async function storedFor(
  question: Question,
  past: PastLog,
  { run, equipment }: Asking,
): Promise<StoredApproval | undefined> {
  const rows = await findQuestions(run.runId, question.callId, equipment.database);
  return rows.find(({ id, inputSha }) => !past.hasAsked(id) && inputSha === question.inputSha256);
}
