import { resolve } from "node:path";
import type { Publish } from "../protocol/job.ts";
import { branchName, text } from "../protocol/written-text.ts";
import type { Resolving } from "./resolving.ts";

/** `cwd` is where a patch file is relative to; without one whoever asked writes the file. */
export function resolvePublish(name: string, cwd: string | undefined, { file, filler }: Resolving): Publish {
  const { publish: written = "none" } = file;
  if (written === "none") return { kind: "none" };
  if (written !== "patch" && written.branch !== undefined) {
    return {
      kind: "branch",
      name: filler.whole(written.branch, ["publish", "branch"], branchName),
      existing: written.existing ?? "refuse",
      on_base_moved: written.onBaseMoved ?? "keep",
      group_by: written.groupBy ?? "job",
    };
  }
  const asked = written === "patch" ? undefined : written.patch;
  const patch =
    asked === undefined ? `${name}.patch` : filler.whole(asked, ["publish", "patch"], text({ most: 4_096 }));
  return { kind: "patch", ...(cwd === undefined ? {} : { file: resolve(cwd, patch) }) };
}
