import type { Command, CommandOutcome } from "./driver.ts";

/** What the system says when it cannot start a program that somebody named, as a shell would report it. */
const refusals: Readonly<Record<string, { exit: number; message: string }>> = {
  ENOENT: { exit: 127, message: "no such program" },
  EACCES: { exit: 126, message: "it may not be run" },
  ENOEXEC: { exit: 126, message: "it is no program" },
  ENOTDIR: { exit: 127, message: "no such program" },
  E2BIG: {
    exit: 126,
    message: "its arguments and variables are longer than the system takes; give each task fewer files",
  },
  ERR_INVALID_ARG_VALUE: { exit: 126, message: "an argument or variable holds a NUL, or no program is named" },
};

/** Exit code and what is said of it; undefined where `thrown` is no such refusal. */
export function refusalOf(run: Command["run"], thrown: unknown): { exit: number; said: string } | undefined {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  const refusal = Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  return refusal && { exit: refusal.exit, said: `${programOf(run)}: ${refusal.message}\n` };
}

export function refusedOutcome({ exit, said }: { exit: number; said: string }): CommandOutcome {
  const output = Buffer.from(said);
  return { exit, signal: null, isTimedOut: false, durationMs: 0, output, outputBytes: output.length };
}

export function programOf(run: Command["run"]): string {
  return typeof run === "string" ? "/bin/sh" : JSON.stringify(run[0] ?? "");
}
