import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, newUuid } from "../../protocol/ids.ts";
import type { ScanQuery, ScanReport } from "../../protocol/scan.ts";
import { writeBundle } from "../../workspace/bundle.ts";
import { toShown, toText } from "../../workspace/raw-path.ts";
import type { Repository } from "../../workspace/repository.ts";
import { listTree } from "../../workspace/tree.ts";
import type { Pool } from "../threads/pool.ts";

/**
 * Looks for text in the files of a tree. Nothing is matched here, on the main thread: files go to threads in bundles, a
 * few at a time, and links and submodules have no text of their own.
 */
export interface ScanSurroundings {
  repository: Repository;
  equipment: { clock: Clock; home: string; threads: number; pool(): { pool: Pool } };
  signal: AbortSignal;
}

export async function scanTree(
  { tree, query, covers }: { tree: string; query: ScanQuery; covers(path: string): boolean },
  around: ScanSurroundings,
): Promise<ScanReport> {
  const { bundles, skipped } = await portion(tree, covers, around.repository);
  const report: ScanReport = { looked: 0, found: [], skipped };
  const work = async () => {
    for (let next = bundles.shift(); next && !report.mistake; next = bundles.shift()) {
      around.signal.throwIfAborted();
      add(report, await scanBundle({ tree, paths: next, query }, around));
    }
  };
  await Promise.all(Array.from({ length: Math.min(around.equipment.threads, bundles.length) }, work));
  report.found.sort(byPath);
  report.skipped.sort(byPath);
  return report;
}

/** Of one bundle: enough to be worth a message, few enough that many threads have some. */
const mostFiles = 1_000;
const mostBytes = 32 * 1024 * 1024;
/** No text that a person wrote is larger, and a thread holds it more than once. */
const mostFileBytes = 16 * 1024 * 1024;

async function portion(tree: string, covers: (path: string) => boolean, repository: Repository) {
  const files: { path: string; size: number }[] = [];
  const skipped: ScanReport["skipped"] = [];
  for (const { path: raw, mode, size = 0 } of await listTree(repository, tree, { sizes: true })) {
    const path = toText(raw);
    if (!mode.startsWith("100") || !covers(path ?? toShown(raw))) continue;
    if (path !== undefined && size <= mostFileBytes) files.push({ path, size });
    else
      skipped.push({ path: toShown(raw), reason: path ? `${size} bytes` : "its name is not UTF-8", is_binary: false });
  }
  return { bundles: bundled(files), skipped };
}

function bundled(files: readonly { path: string; size: number }[]): string[][] {
  const bundles: string[][] = [];
  let open: string[] = [];
  let bytes = 0;
  for (const { path, size } of files) {
    if (open.length === mostFiles || (open.length > 0 && bytes + size > mostBytes)) {
      bundles.push(open);
      open = [];
      bytes = 0;
    }
    open.push(path);
    bytes += size;
  }
  return open.length > 0 ? [...bundles, open] : bundles;
}

async function scanBundle(
  { tree, paths, query }: { tree: string; paths: readonly string[]; query: ScanQuery },
  { repository, equipment, signal }: ScanSurroundings,
): Promise<ScanReport> {
  const folder = join(equipment.home, "checkouts");
  const file = join(folder, `scan-${newUuid(equipment.clock)}`);
  await mkdir(folder, { recursive: true });
  try {
    const bundle = await writeBundle(repository, { tree, paths, file });
    return await equipment.pool().pool.scan({ query, bundle }, signal);
  } finally {
    await rm(file, { force: true });
  }
}

function add(sum: ScanReport, part: ScanReport): void {
  sum.looked += part.looked;
  for (const one of part.found) sum.found.push(one);
  for (const one of part.skipped) sum.skipped.push(one);
  if (part.mistake) sum.mistake ??= part.mistake;
}

function byPath(one: { path: string }, other: { path: string }): number {
  return one.path < other.path ? -1 : one.path > other.path ? 1 : 0;
}
