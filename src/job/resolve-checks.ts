import type { Check } from "../protocol/check.ts";
import { Fault } from "../protocol/failure.ts";
import type { WrittenCheck } from "../protocol/job-file-check.ts";
import { regex, repositoryPath } from "../protocol/written-text.ts";
import { patternAt } from "./resolve-pattern.ts";
import { reachOf } from "./resolve-reach.ts";
import type { Resolving } from "./resolving.ts";

/** What a check of a command is where it does not say. */
const usual = { at: "tree", expect: "no-new-failures", timeout_ms: 15 * 60_000, parse: "exit", retries: 0 } as const;
const longestName = 60;

/**
 * Checks with their defaults. A name stands for one check in results and logs: written twice it is refused, taken
 * from equal commands it is numbered.
 */
export async function resolveChecks(written: readonly WrittenCheck[], resolving: Resolving): Promise<Check[]> {
  const names = new Set<string>();
  await resolving.faults.all(written, (check, index) => {
    if (typeof check === "string" || check.name === undefined) return;
    if (names.has(check.name)) throw twice(check.name, resolving.place(["checks", index, "name"]));
    names.add(check.name);
  });
  return resolving.faults.all(written, (check, index) => resolveCheck(check, index, { names, resolving }));
}

function resolveCheck(check: WrittenCheck, index: number, around: { names: Set<string>; resolving: Resolving }): Check {
  const { names, resolving } = around;
  if (typeof check === "string") return { kind: "command", name: freshName(check, names), run: check, ...usual };
  const { at = usual.at, run = "", parse = usual.parse, retries = usual.retries, report } = check;
  if (check.absent !== undefined)
    return absentCheck({ ...check, absent: check.absent, at }, index, { names, resolving });
  return {
    kind: "command",
    name: check.name ?? freshName(run, names),
    at,
    run,
    expect: check.expect ?? usual.expect,
    timeout_ms: check.timeout ?? usual.timeout_ms,
    parse,
    ...(report === undefined ? {} : { report }),
    retries,
    ...reachOf(check),
  };
}

type Absent = Exclude<WrittenCheck, string> & { absent: string; at: "tree" | "task" };

function absentCheck(
  { name, at, absent, in: glob }: Absent,
  index: number,
  { names, resolving: { filler, place } }: { names: Set<string>; resolving: Resolving },
): Check {
  const pattern = filler.whole(absent, ["checks", index, "absent"], regex);
  const path = ["checks", index, "in"];
  const within = glob === undefined ? {} : { in: patternAt(filler.whole(glob, path, repositoryPath), place(path)) };
  return { kind: "absent", name: name ?? freshName(`absent: ${pattern}`, names), at, absent: pattern, ...within };
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
