import type { Place } from "../document/place.ts";
import { Fault } from "../protocol/failure.ts";
import type { Check } from "../protocol/job.ts";
import type { JobFile } from "../protocol/job-file.ts";

const defaultTimeoutMs = 15 * 60_000;
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
      return { name: freshName(check, names), run: check, expect: "no-new-failures", timeout_ms: defaultTimeoutMs };
    }
    const { name = freshName(check.run, names), run, expect = "no-new-failures", timeout = defaultTimeoutMs } = check;
    return { name, run, expect, timeout_ms: timeout };
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
