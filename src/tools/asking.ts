import type { SearchQuery, SearchReport } from "../protocol/search.ts";

/** What a tool may ask of the coordinator beside the files of its run. Nothing of it has an effect on them. */
export interface Asking {
  /** `paths` are canonical, and have been decided. */
  search(query: SearchQuery, paths: readonly string[]): Promise<SearchReport>;
  /** Keeps a text that is too large for a message, without its secrets. */
  keep(text: string): Promise<{ sha256: string; bytes: number }>;
  /** The text of an artifact of this run; undefined when it has none of that id. */
  artifact(sha256: string): Promise<string | undefined>;
}
