import { openBundle } from "../files/bundle.ts";
import { type ScanReport, scanOrder } from "../protocol/scan.ts";
import { loadInstalled } from "../rewrite/grammars.ts";
import { compileScan } from "../rewrite/scan.ts";

/** Looks through the files of a bundle, in their order, and says at which one it is before it looks. */
export async function runScan(raw: unknown): Promise<ScanReport> {
  const { query, bundle, progress } = scanOrder.parse(raw);
  if (query.pattern !== undefined) await loadInstalled();
  const report: ScanReport = { looked: 0, found: [], skipped: [] };
  const scan = compileScan(query);
  if ("mistake" in scan) return { ...report, mistake: scan.mistake };
  using files = openBundle(bundle);
  const at = new Int32Array(progress);
  for (const [index, { path }] of bundle.entries.entries()) {
    Atomics.store(at, 0, index);
    const file = files.fetch(path);
    if (file?.found !== "file") continue;
    const seen = scan.look({ path, bytes: file.bytes });
    if (seen && "skipped" in seen) {
      report.skipped.push({ path, reason: seen.skipped, is_binary: seen.isBinary });
      continue;
    }
    report.looked++;
    if (seen) report.found.push(seen);
  }
  return report;
}
