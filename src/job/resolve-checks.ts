import type { Place } from "../document/place.ts";
import { Fault } from "../protocol/failure.ts";
import type { Check } from "../protocol/job.ts";
import type { JobFile } from "../protocol/job-file.ts";

/** What a check is where it does not say. */
const usual = {
  kind: "command",
  at: "tree",
  expect: "no-new-failures",
  timeout_ms: 15 * 60_000,
  parse: "exit",
  retries: 0,
} as const;
const longestName = 60;

/**
 * Checks with their defaults. A name stands for one check in results and logs: written twice it is refused, taken
 * from equal commands it is numbered.
 */
export function resolveChecks(written: NonNullable<JobFile["checks"]>, place: Place): Check[] {
  const names = new Set<string>();
  for (const [index, check] of written.entries()) {
    if (typeof check === "string" || check.name === undefined) continue;
    if (names.has(check.name)) throw twice(check.name, place(["checks", index, "name"]));
    names.add(check.name);
  }
  return written.map((check) => {
    if (typeof check === "string") {
      return { ...usual, name: freshName(check, names), run: check };
    }
    const { name = freshName(check.run, names), run, expect = usual.expect, timeout = usual.timeout_ms } = check;
    return { ...usual, name, run, expect, timeout_ms: timeout };
  });
}

function freshName(command: string, names: Set<string>): string {
  const line = command.trim().replace(/\s+/g, " ");
  const short = line.length > longestName ? `${line.slice(0, longestName - 3)}...` : line;
  let name = short;
  for (let number = 2; names.has(name); number++) name = `${short} (${number})`;
  names.add(name);
  return name;
}

function twice(name: string, place: string): Fault {
  return new Fault("job_file", `${place}: a check before this one is named ${JSON.stringify(name)} too`, {
    remedy: "give each check its own name",
  });
}
