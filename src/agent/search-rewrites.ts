import { createHash } from "node:crypto";
import { setImmediate as nextTick } from "node:timers/promises";
import { type Failure, toFailure } from "../protocol/failure.ts";
import type { FileRewrite, RewriteQuery, SearchReport } from "../protocol/search.ts";
import { compileRecipe } from "../rewrite/engine.ts";
import type { Searcher } from "./search.ts";

/** What a pattern and its fix would do to each file. Nothing is changed here. */
export async function searchRewrites(query: RewriteQuery): Promise<Searcher | { mistake: Failure }> {
  const { pattern, fix, language } = query;
  const recipe = await compileRecipe({ name: "replace-call", pattern, fix, language }).catch((thrown: unknown) => ({
    mistake: toFailure(thrown),
  }));
  if ("mistake" in recipe) return recipe;
  const rewrites: FileRewrite[] = [];
  const leftovers: SearchReport["leftovers"] = [];
  const sum = { leftovers: 0, edits: 0, looked: 0 };
  return {
    look(path, bytes) {
      const done = recipe.rewrite({ path, bytes });
      const left = done.skipped ? [{ path, line: 1, column: 1, text: "", reason: done.skipped }] : done.leftovers;
      sum.leftovers += left.length;
      leftovers.push(...left.slice(0, Math.max(0, mostLeftovers - leftovers.length)));
      if (done.edits.length > 0) {
        rewrites.push({ path, sha256: createHash("sha256").update(bytes).digest("hex"), edits: done.edits });
        sum.edits += done.edits.length;
      }
      if (sum.edits >= mostEdits || rewrites.length >= mostFiles) return false;
      // The parser's trees are freed only when the event loop turns.
      return ++sum.looked % filesPerBreath === 0 ? nextTick(true) : true;
    },
    answer: () => ({ rewrites, leftovers, leftover_count: sum.leftovers }),
  };
}

/** Leftovers told one by one. */
const mostLeftovers = 50;
/** Of one call: more is a codemod of its own. */
const mostEdits = 20_000;
const mostFiles = 2_000;
const filesPerBreath = 16;
