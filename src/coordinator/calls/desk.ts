import { readArtifact } from "../../db/read-artifact.ts";
import { storeArtifact } from "../../db/store-artifact.ts";
import { nothingSearched, type SearchQuery, type SearchReport } from "../../protocol/search.ts";
import type { HostMessage, ThreadMessage } from "../../protocol/thread.ts";
import { toRaw } from "../../workspace/raw-path.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import type { Allowance } from "./allowance.ts";

/**
 * Answers what the tools of one run ask beside single files: searches through many, and texts too large for a message.
 * A text is handed out again only to the run that it was kept for.
 */
export interface Desk {
  answer(question: Asked): Promise<Answer>;
  /** The run may read this artifact. */
  own(sha256: string): void;
}

type Asked = Extract<ThreadMessage, { kind: "search" | "keep" | "artifact" }>;
type Answered = Extract<HostMessage, { kind: "searched" | "kept" | "artifact" }>;
type Answer = Answered extends infer One ? (One extends Answered ? Omit<One, "id"> : never) : never;

export interface DeskPlace {
  job: Job;
  equipment: Equipment;
  /** What the run started from. */
  tree: string;
  /** Its workspace. */
  root: string;
  /** Aborted when the run is over. */
  signal: AbortSignal;
  allowance: Allowance;
}

export function openDesk(place: DeskPlace): Desk {
  const { equipment, allowance } = place;
  const own = new Set<string>();
  return {
    own: (sha256) => void own.add(sha256),
    async answer(question) {
      switch (question.kind) {
        case "search":
          return { kind: "searched", report: await search(question.query, question.paths, place) };
        case "keep": {
          const bytes = Buffer.from(equipment.redact(question.text));
          allowance.bytes(bytes.length);
          const sha256 = await storeArtifact(bytes, "text/plain", equipment.database);
          own.add(sha256);
          return { kind: "kept", sha256, bytes: bytes.length };
        }
        case "artifact": {
          const found = own.has(question.sha256) ? await readArtifact(question.sha256, equipment.database) : undefined;
          return { kind: "artifact", text: found ? Buffer.from(found.bytes).toString() : null };
        }
      }
    },
  };
}

/** What the base holds of these files is brought to where a looking thread reads it; what they look like now, it sees. */
async function search(query: SearchQuery, paths: string, place: DeskPlace): Promise<SearchReport> {
  const { job, equipment, tree, root, signal } = place;
  const { repository, blobs } = job;
  const { entries } = await repository.listings.get(tree);
  const oids = (paths === "" ? [] : paths.split("\0")).map((path) => {
    const entry = entries.get(toRaw(path));
    return entry?.mode.startsWith("100") ? entry.oid : undefined;
  });
  await blobs.bring(oids.filter((oid) => oid !== undefined));
  const places = new Float64Array(oids.length * 3).fill(-1);
  for (const [index, oid] of oids.entries()) {
    const at = oid === undefined ? undefined : blobs.at(oid);
    if (at) places.set([at.file, at.offset, at.size], index * 3);
    else if (oid !== undefined) places[index * 3 + 2] = tooLarge;
  }
  const order = { query, root, paths, places, blobs: blobs.files, is_case_insensitive: repository.isCaseInsensitive };
  try {
    return await equipment.pool().pool.search(order, signal);
  } catch (thrown) {
    // The end of a run is no failure of Sheaf's, and nobody reads this answer.
    if (signal.aborted) return nothingSearched;
    throw thrown;
  }
}

/** Beside the -1 of a file that is in none of `blobs`. */
const tooLarge = 1;
