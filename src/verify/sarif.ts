import { z } from "zod";
import { readJson } from "./json-report.ts";
import type { Reading } from "./report.ts";
import { openSarifRun, type SarifResult, type SarifRun, sarifRun } from "./sarif-run.ts";
import { openTally, type Tally } from "./tally.ts";

const log = z.looseObject({ version: z.literal("2.1.0"), runs: z.array(sarifRun) });

/**
 * SARIF 2.1.0. Errors and warnings are findings; notes, and results that the tool itself counts as passed, suppressed
 * or gone, are none. An error about the tool's own run (a file it could not parse) is a finding as well.
 */
export function parseSarif(text: string, root: string): Reading {
  const document = readJson(text, log);
  if ("unreadable" in document) return document;
  const { runs } = document.json;
  if (runs.length === 0) return { unreadable: "it holds no run of a tool" };
  const tally = openTally("finding");
  const complaints = runs.map((run) => addRun(run, root, tally));
  return tally.report({ incomplete: complaints.find((complaint) => complaint !== undefined) });
}

function addRun(run: SarifRun, root: string, tally: Tally): string | undefined {
  if (run.externalPropertyFileReferences?.results !== undefined) return "its results are in files that are not read";
  if (run.results == null) return "the tool gives no results: it did not come to its end";
  const { findingOf, levelOf } = openSarifRun(run, root);
  for (const result of run.results) if (isFinding(result, levelOf(result))) tally.found(findingOf(result));
  const errors = (run.invocations ?? [])
    .flatMap((each) => [...(each.toolExecutionNotifications ?? []), ...(each.toolConfigurationNotifications ?? [])])
    .filter((each) => each.level === "error");
  for (const error of errors)
    tally.found(findingOf({ ...error, ruleId: error.associatedRule?.id ?? error.descriptor?.id }));
  const isBroken = run.invocations?.some((each) => each.executionSuccessful === false) && errors.length === 0;
  return isBroken ? "the tool says that its run did not succeed" : undefined;
}

function isFinding(result: SarifResult, level: string): boolean {
  if (level === "none" || level === "note") return false;
  if ((result.kind ?? "fail") !== "fail" || result.baselineState === "absent") return false;
  return !(result.suppressions ?? []).some(({ status }) => (status ?? "accepted") === "accepted");
}
