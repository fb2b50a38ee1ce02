import type { JobSpec } from "../protocol/job.ts";
import type { JobFile } from "../protocol/job-file.ts";
import { resolveRules } from "./resolve-pattern.ts";
import type { Resolving } from "./resolving.ts";

/** The rules of a job. What is granted is read as what is allowed: a task holds it for others. */
export async function resolvePermissions(
  written: JobFile["permissions"] = {},
  resolving: Resolving,
): Promise<JobSpec["permissions"]> {
  const rules = (key: "allow" | "ask" | "deny" | "grant") => {
    const list = key === "grant" ? "allow" : key;
    return resolveRules(written[key], { path: ["permissions", key], list }, resolving);
  };
  const [allow, ask, deny, grant] = [
    await rules("allow"),
    await rules("ask"),
    await rules("deny"),
    await rules("grant"),
  ];
  return {
    allow,
    ...(ask.length > 0 ? { ask } : {}),
    deny,
    ...(grant.length > 0 ? { grant } : {}),
    ...(written.mode === undefined ? {} : { mode: written.mode }),
  };
}
