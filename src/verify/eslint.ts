import { z } from "zod";
import { readJson } from "./json-report.ts";
import type { Reading } from "./report.ts";
import { reportPath, withoutRoot } from "./report-path.ts";
import { openTally } from "./tally.ts";

const message = z.looseObject({
  ruleId: z.string().nullish(),
  message: z.string(),
  line: z.number().nullish(),
  column: z.number().nullish(),
});
const files = z.array(z.looseObject({ filePath: z.string(), messages: z.array(message) }));

/** ESLint's `--format json`: errors and warnings alike are findings; what a directive suppresses is none. */
export function parseEslint(text: string, root: string): Reading {
  const read = readJson(text, files);
  if ("unreadable" in read) return read;
  const tally = openTally("finding");
  for (const file of read.json) {
    for (const { ruleId, message, line, column } of file.messages) {
      tally.found({
        path: reportPath(file.filePath, root),
        message: withoutRoot(message, root),
        ...(ruleId ? { rule: ruleId } : {}),
        ...position(line, column),
      });
    }
  }
  return tally.report({ looked: read.json.length });
}

/** Tools write 0, or nothing, where a finding is about the whole file. */
export function position(line: number | null | undefined, column: number | null | undefined) {
  const isPlace = (value: number | null | undefined) => value != null && Number.isSafeInteger(value) && value >= 1;
  return {
    ...(isPlace(line) ? { line: Number(line) } : {}),
    ...(isPlace(line) && isPlace(column) ? { column: Number(column) } : {}),
  };
}
