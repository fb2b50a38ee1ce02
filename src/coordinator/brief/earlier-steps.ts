import { markUntrusted } from "../../job/mark-untrusted.ts";
import type { Leftover } from "../../protocol/claim.ts";
import type { FinishedRun } from "../tasks/step-order.ts";

/**
 * What the earlier steps of a task leave to an agent that comes after them: the places that a codemod or an agent saw
 * and left alone, and commands that were allowed to fail and did. What went well is in the files, and is not told.
 */
export interface EarlierSteps {
  leftovers: readonly Leftover[];
  /** How many places there were in all. */
  leftoverCount: number;
  /** What was declined as a whole. */
  refused: readonly string[];
  failedCommands: readonly FailedCommand[];
}

/** A command whose failing ends nothing: how it ended, and the end of what it printed. */
export interface FailedCommand {
  text: string;
  ending: string;
  output: string;
}

/** More would fill an agent's context; the count is told. */
const mostLeftovers = 1_000;

export function earlierSteps(runs: readonly FinishedRun[]): EarlierSteps {
  const submissions = runs.flatMap(({ report }) => report.submission ?? []);
  const leftovers = submissions.flatMap((submission) => submission.leftovers ?? []);
  return {
    leftovers: leftovers.slice(0, mostLeftovers),
    leftoverCount: leftovers.length,
    refused: submissions.flatMap(({ refused }) => refused ?? []),
    failedCommands: runs.flatMap(({ failed }) => failed ?? []),
  };
}

/** The same for a prompt, without the places themselves; empty where there is nothing to tell. */
export function tellEarlier({ leftovers, leftoverCount, refused, failedCommands }: EarlierSteps): string {
  const more =
    leftoverCount > leftovers.length ? [`Earlier steps of this task left ${leftoverCount} places alone in all.`] : [];
  const declined = refused.map((reason) => `An earlier step of this task declined its work: ${reason}`);
  return [...more, ...declined, ...failedCommands.map(tellCommand)].join("\n\n");
}

function tellCommand({ text, ending, output }: FailedCommand): string {
  const head = `An earlier step of this task ran \`${text}\`, which ended with ${ending}`;
  if (output === "") return `${head} and printed nothing.`;
  return `${head}. The end of what it printed:\n${markUntrusted(output, "output of a command")}`;
}

const mostOutput = 8_000;
const mostLines = 120;

/** As much of an output as an agent can use; it says what is missing. */
export function endOfOutput(output: string): string {
  const lines = output.trimEnd().split("\n");
  const end = lines.slice(-mostLines).join("\n").slice(-mostOutput).toWellFormed();
  const isCut = lines.length > mostLines || end.length < lines.slice(-mostLines).join("\n").length;
  return isCut ? `[of ${lines.length} lines, the last]\n${end}` : end;
}
