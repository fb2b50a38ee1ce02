import type { CollectionReport } from "../protocol/collection.ts";
import { columns, oneLine } from "./words.ts";

/** What was cleared away, or would be, as lines for a person. Pure. */
export function collectionLines({ rows, left, salvaged, failed, is_dry_run }: CollectionReport): string[] {
  const going = rows.map(({ what, count, bytes, why }) => [what, String(count), megabytes(bytes), why]);
  const staying = left.map(({ what, count, why }) => [what, String(count), "", oneLine(why)]);
  return [
    ...(rows.length === 0
      ? ["there is nothing to clear away"]
      : columns([[head(is_dry_run), "HOW MANY", "SIZE", "WHY"], ...going])),
    ...(left.length === 0 ? [] : ["", ...columns([["STAYS", "HOW MANY", "", "WHY"], ...staying])]),
    ...salvaged.map(({ of, file }) => `kept   ${oneLine(of, 100)}: its work is in ${file}`),
    ...failed.map(({ what, name, why }) => `failed ${what} ${oneLine(name, 200)}: ${oneLine(why, 300)}`),
    ...(is_dry_run && rows.length > 0 ? ["nothing was removed"] : []),
  ];
}

function head(isDryRun: boolean): string {
  return isDryRun ? "WOULD GO" : "GONE";
}

/** `0.1 MB`, `12 MB`; nothing where nothing was measured. */
function megabytes(bytes: number): string {
  if (bytes === 0) return "";
  const size = bytes / 1e6;
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} MB`;
}
