import type { OpenBundle } from "../files/bundle.ts";
import type { Files } from "../files/files.ts";
import type { ProgramRecipeView } from "../model/program-recipe.ts";
import { decide, mayHoldAllowed } from "../permission/decide.ts";
import type { ThreadFact } from "../protocol/event.ts";
import type { RunOrder } from "../protocol/thread.ts";

export interface Surroundings {
  files: Files;
  bundle: OpenBundle | undefined;
  unlogged: ThreadFact[];
  /** Lets the coordinator hear that this thread is at work. */
  alive(): void;
}

/**
 * What a recipe may see: the files of its task, through the same containment and the same rules as the read tool.
 * A read that is denied is a fact like any other denial.
 */
export function openRecipeView(order: RunOrder, { files, bundle, unlogged, alive }: Surroundings): ProgramRecipeView {
  const facts = { isCaseInsensitive: order.workspace.is_case_insensitive };
  const mayRead = (path: string) => decide(order.scope, "Read", path, facts).effect === "allow";
  return {
    files: order.files,
    async read(path) {
      const decision = decide(order.scope, "Read", path, facts);
      if (decision.effect !== "allow") {
        const { rule, source } = decision;
        // It reads every file of its task: nobody could answer for so many.
        const reason = decision.effect === "ask" ? `${decision.reason}; nobody is asked for a recipe` : decision.reason;
        unlogged.push({
          type: "tool.denied",
          data: { call_id: "recipe", tool: "read", input: path, rule, source, reason },
        });
        return { refused: `may not be read: ${reason}` };
      }
      // What came in the bundle is an ordinary file of the base, and a recipe reads before it writes.
      const bundled = bundle?.fetch(path);
      if (bundled?.found === "file") return { bytes: bundled.bytes, isExecutable: bundled.is_executable };
      const file = await files.read(path, mostBytes);
      return "refused" in file ? { refused: file.refused } : { bytes: file.bytes, isExecutable: file.isExecutable };
    },
    async list() {
      const choice = {
        enters: (directory: string) => mayHoldAllowed(order.scope, "Read", directory, facts),
        takes: mayRead,
        most: mostPaths,
      };
      const { entries, isComplete } = await files.walk("", choice);
      return { paths: entries.filter(({ kind }) => kind === "file").map(({ path }) => path), isComplete };
    },
    peek(path) {
      const bundled = bundle && mayRead(path) ? bundle.fetch(path) : undefined;
      return bundled?.found === "file" ? bundled.bytes : undefined;
    },
    alive: seldom(alive),
    editRefusal(path) {
      const decision = decide(order.scope, "Edit", path, facts);
      return decision.effect === "deny" ? `may not be edited: ${decision.reason}` : undefined;
    },
  };
}

/** The engine refuses more than 4 MB itself and says so; this only bounds what is read. */
const mostBytes = 8 * 1024 * 1024;
/** As many names as the coordinator tells of a base. */
const mostPaths = 100_000;

/** Whoever is heard more often than this is not told apart from one who is silent. */
const aliveEveryMs = 1_000;

function seldom(tell: () => void): () => void {
  let told = performance.now();
  return () => {
    if (performance.now() - told < aliveEveryMs) return;
    told = performance.now();
    tell();
  };
}
