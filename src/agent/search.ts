import { openSearchedFiles, type SearchedFiles } from "../files/searched-files.ts";
import { nothingSearched, type SearchReport, searchOrder } from "../protocol/search.ts";
import { answerInLines } from "./search-lines.ts";
import { searchRewrites } from "./search-rewrites.ts";

/**
 * Looks through the files of one search, in their order, and says at which one it is before it looks. It ends by itself
 * when its answer is full or its time is over; that one look may never end is the business of whoever watches.
 */
export interface Searcher {
  /** False: the answer is full. A promise where the event loop must turn. */
  look(path: string, bytes: Uint8Array): boolean | Promise<boolean>;
  /** What was found, once all files were looked at. */
  answer(): Partial<SearchReport>;
}

/** Of one search, between two files. */
const mostMs = 20_000;
/** Files told by name that were not looked at. */
const mostNamed = 10;

export async function runSearch(raw: unknown): Promise<SearchReport> {
  const { query, progress, ...rest } = searchOrder.parse(raw);
  const searcher = query.kind === "text" ? answerInLines(query) : await searchRewrites(query);
  if ("mistake" in searcher) return { ...nothingSearched, mistake: searcher.mistake };
  using files = openSearchedFiles(rest);
  const at = new Int32Array(progress);
  const seen: Seen = { looked: 0, binary: 0, skipped: [], skipped_count: 0, unlooked: 0 };
  const end = performance.now() + mostMs;
  for (const index of files.paths.keys()) {
    Atomics.store(at, 0, index);
    const goesOn = performance.now() < end && (await lookAt(index, { files, searcher, seen }));
    if (goesOn) continue;
    seen.unlooked = files.paths.length - index - 1;
    break;
  }
  return { ...nothingSearched, ...seen, ...searcher.answer() };
}

type Seen = Pick<SearchReport, "looked" | "binary" | "skipped" | "skipped_count" | "unlooked">;

/** False: nothing more is wanted. */
async function lookAt(
  index: number,
  { files, searcher, seen }: { files: SearchedFiles; searcher: Searcher; seen: Seen },
): Promise<boolean> {
  const path = files.paths[index] ?? "";
  const file = files.read(index);
  if (!file) return true;
  if ("refused" in file) {
    seen.skipped_count++;
    if (seen.skipped.length < mostNamed) seen.skipped.push({ path, reason: file.refused });
    return true;
  }
  const isBinary = file.bytes.includes(0);
  seen[isBinary ? "binary" : "looked"]++;
  return isBinary || searcher.look(path, file.bytes);
}
