import type { AbsentCheck } from "../protocol/check.ts";
import type { CheckResult } from "../protocol/result.ts";
import type { ScanReport } from "../protocol/scan.ts";
import type { Observation } from "./judge-check.ts";
import type { CheckView } from "./run-checks.ts";

/**
 * Holds when no text is left that the expression matches. It runs no command: threads look at the files of the tree, and
 * an expression that never ends is a red check, not a hanging job.
 */
export async function checkAbsent(check: AbsentCheck, tree: string, view: CheckView): Promise<CheckResult> {
  const started = view.now();
  const task = view.task === undefined ? {} : { task_id: view.task };
  await view.log([
    { type: "check.started", data: { name: check.name, tree, run: `absent: ${check.absent}`, ...task } },
  ]);
  let report: ScanReport = { looked: 0, found: [], skipped: [] };
  const seen = await view.traced(check, tree, async () => {
    report = await view.scan(tree, { regex: check.absent, places: mostPlaces }, check.in);
    if (check.in !== undefined && view.task === undefined) report = withSomeFile(report);
    return observation(report, { tree, durationMs: view.now() - started });
  });
  const places = placesOf(report);
  const output = await view.keep(Buffer.from(view.redact([...places, seen.tail, ""].join("\n"))));
  const ending = { exit: seen.exit, signal: null, timed_out: false, duration_ms: seen.durationMs };
  await view.log([{ type: "check.finished", data: { name: check.name, tree, ...task, ...ending, output } }]);
  return {
    name: check.name,
    at: tree,
    state: seen.exit === 0 ? "passed" : "failed",
    duration_ms: Math.round(seen.durationMs),
    new_failures: seen.exit === 0 ? 0 : null,
    base_failures: null,
    ...(places.length > 0 ? { failing: places.map((place) => view.redact(place)) } : {}),
    detail: view.redact(seen.tail),
  };
}

/** A pattern that covers no file says nothing of any. */
function withSomeFile(report: ScanReport): ScanReport {
  if (report.mistake || report.looked + report.skipped.length > 0) return report;
  const mistake = { code: "job_file", message: "`in` covers no file", remedy: "check how the pattern is written" };
  return { ...report, mistake };
}

/** Told of one check, and so of one file at most. All are counted. */
const mostPlaces = 20;

function observation(report: ScanReport, { tree, durationMs }: { tree: string; durationMs: number }): Observation {
  const isClean = report.mistake === undefined && report.found.length === 0;
  return { tree, exit: isClean ? 0 : 1, signal: null, isTimedOut: false, durationMs, tail: detailOf(report) };
}

function detailOf({ mistake, found, looked, skipped }: ScanReport): string {
  if (mistake) return [mistake.message, mistake.remedy].filter(Boolean).join("; ");
  const unread = skipped.filter((one) => !one.is_binary);
  const [first] = unread;
  const left = first ? `; ${unread.length} not looked at (${first.path}: ${first.reason})` : "";
  const binary = skipped.length - unread.length;
  const among = `${looked} ${looked === 1 ? "file" : "files"}${binary > 0 ? ` (and ${binary} binary)` : ""}${left}`;
  if (found.length === 0) return `nowhere in ${among}`;
  const count = found.reduce((sum, file) => sum + file.count, 0);
  return `still there: ${count === 1 ? "1 place" : `${count} places`} in ${found.length} of ${among}`;
}

/** `path:line:column: text`. */
function placesOf({ found }: ScanReport): string[] {
  return found
    .flatMap(({ path, places }) => places.map(({ line, column, text }) => `${path}:${line}:${column}: ${text}`))
    .slice(0, mostPlaces);
}
