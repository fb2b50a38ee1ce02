import type { OpenBundle } from "../files/bundle.ts";
import type { Files } from "../files/files.ts";
import type { RecipeView } from "../model/recipe.ts";
import { decide } from "../permission/decide.ts";
import type { ThreadFact } from "../protocol/event.ts";
import type { RunOrder } from "../protocol/thread.ts";

/**
 * What a recipe may see: the files of its task, through the same containment and the same rules as the read tool.
 * A read that is denied is a fact like any other denial.
 */
export function openRecipeView(
  order: RunOrder,
  { files, bundle, unlogged }: { files: Files; bundle: OpenBundle | undefined; unlogged: ThreadFact[] },
): RecipeView {
  const facts = { isCaseInsensitive: order.workspace.is_case_insensitive };
  return {
    files: order.files,
    async read(path) {
      const decision = decide(order.scope, "Read", path, facts);
      if (decision.effect === "deny") {
        const { rule, source, reason } = decision;
        unlogged.push({
          type: "tool.denied",
          data: { call_id: "recipe", tool: "read", input: path, rule, source, reason },
        });
        return { refused: `may not be read: ${reason}` };
      }
      // What came in the bundle is an ordinary file of the base, and a recipe reads before it writes.
      const bundled = bundle?.fetch(path);
      if (bundled?.found === "file") return { bytes: bundled.bytes };
      const file = await files.read(path, mostBytes);
      return "refused" in file ? { refused: file.refused } : { bytes: file.bytes };
    },
    editRefusal(path) {
      const decision = decide(order.scope, "Edit", path, facts);
      return decision.effect === "deny" ? `may not be edited: ${decision.reason}` : undefined;
    },
  };
}

/** The engine refuses more than 4 MB itself and says so; this only bounds what is read. */
const mostBytes = 8 * 1024 * 1024;
