import { Fault } from "../protocol/failure.ts";
import type { Finding } from "../protocol/part.ts";
import type { Split } from "../protocol/split.ts";
import type { Unsplit } from "../protocol/task.ts";
import { chunked, partsOf } from "./by-files.ts";
import type { Cut, SplitView } from "./split-view.ts";

/** The files in which the check finds something, in tasks of at most so many, each with what was found in its files. */
export function byFindings(
  split: Extract<Split, { by: "findings" }>,
  isWanted: (path: string) => boolean,
  view: SplitView,
): Cut {
  if (!view.findings) throw new Fault("internal", `nobody ran the check ${JSON.stringify(split.of)}`);
  const known = new Set(view.files);
  const byPath = Map.groupBy(view.findings, (finding) => finding.path);
  const files = view.files.filter((path) => byPath.has(path) && isWanted(path));
  const parts = partsOf(chunked(files, split, view.threads)).map((part) => ({
    ...part,
    findings: part.files.flatMap((path) => byPath.get(path) ?? []),
  }));
  const elsewhere = [...byPath].filter(([path]) => !known.has(path));
  return { parts, unsplit: elsewhere.map(([path, found]) => leftAlone(path, found, { of: split.of, view })) };
}

function leftAlone(path: string, found: readonly Finding[], { of, view }: { of: string; view: SplitView }): Unsplit {
  const count = found.length === 1 ? "1 finding" : `${found.length} findings`;
  const known = view.unsplit.find((one) => one.path === path)?.reason;
  const reason = known ?? "it is no file of the base that a task may have";
  return { path, reason: `${count} of ${of}: ${reason}` };
}
