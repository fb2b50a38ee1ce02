import type { CommandOutcome } from "./driver.ts";

/** How a command ended, for a person: `exit 3`, `killed by SIGKILL`, `no end after 30 s, killed`. */
export function describeEnding(outcome: Pick<CommandOutcome, "exit" | "signal" | "isTimedOut" | "durationMs">): string {
  if (outcome.isTimedOut) return `no end after ${Math.round(outcome.durationMs / 100) / 10} s, killed`;
  if (outcome.signal) return `killed by ${outcome.signal}`;
  return `exit ${outcome.exit}`;
}

/** The last lines of what it printed: what a person wants to see first. */
export function lastLines(output: string): string {
  return output.slice(-4_000).split("\n").slice(-30).join("\n").trim();
}

/** A command on one line: a list as its words, quoted where they hold more than plain characters. */
export function commandText(run: string | readonly string[]): string {
  if (typeof run === "string") return run;
  return run.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
}
