import { createHash } from "node:crypto";
import type { AnswerBlock, Message } from "../protocol/message.ts";
import { noUsage } from "../protocol/message.ts";
import type { EditedFile, MovedFile, ProgramRecipe, ProgramRewrite, ProgramView } from "../rewrite/program-recipe.ts";
import type { Model, ModelAnswer } from "./model.ts";
import type { RecipeView } from "./recipe.ts";

/**
 * A recipe about a whole program in the seat of a model: it asks for its edits with `apply_edits`, for a move with
 * `delete` and `write`, one turn after the other, and ends with `submit`. A change that it may not make everywhere it
 * does not begin, because half of it would be worse than nothing.
 */
export interface ProgramRecipeView extends RecipeView, Pick<ProgramView, "list" | "peek" | "alive"> {}

export function programModel(name: string, recipe: ProgramRecipe, view: ProgramRecipeView): Model {
  let made: ProgramRewrite | undefined;
  return {
    name,
    async answer(request, { signal }) {
      made ??= withinScope(await recipe.plan({ ...view, signal }), view);
      const error = lastError(request.messages);
      if (error !== undefined) return submit(made, `The change was not taken: ${error}`);
      const turn = request.messages.filter((said) => said.role === "assistant").length;
      return callsOf(made)[turn] ?? submit(made, undefined);
    },
  };
}

/** Every file that would change must be one that may. */
function withinScope(made: ProgramRewrite, view: RecipeView): ProgramRewrite {
  if ("refused" in made) return made;
  const moved = made.moved ? [made.moved.from, made.moved.to] : [];
  const refusals = [...made.edited.map(({ path }) => path), ...moved].flatMap((path) => {
    const refusal = view.editRefusal(path);
    return refusal === undefined ? [] : [`${path} ${refusal}`];
  });
  const [first] = refusals;
  if (first === undefined) return made;
  const others = refusals.length > 1 ? ` (and ${refusals.length - 1} more files)` : "";
  const refused = `it would have to change what this task may not: ${first}${others}: let one task have the whole repository (split: none)`;
  return { refused, leftovers: made.leftovers };
}

function callsOf(made: ProgramRewrite): ModelAnswer[] {
  if ("refused" in made) return [];
  const edits = made.edited.length > 0 ? [applyEdits(made.edited)] : [];
  return made.moved ? [...edits, ...moveCalls(made.moved)] : edits;
}

function applyEdits(edited: readonly EditedFile[]): ModelAnswer {
  const files = edited.map(({ path, bytes, edits }) => ({
    file_path: path,
    expect_sha256: createHash("sha256").update(bytes).digest("hex"),
    edits,
  }));
  return ask("apply_edits", { files }, `${countOf(edited)}.`);
}

/** First gone, then made: where only the case of its name differs, both are one file to some systems. */
function moveCalls({ from, to, bytes, isExecutable }: MovedFile): ModelAnswer[] {
  const content = Buffer.from(bytes).toString("utf8");
  const executable = isExecutable ? { executable: true } : {};
  return [ask("delete", { file_path: from }), ask("write", { file_path: to, content, ...executable })];
}

function submit(made: ProgramRewrite, error: string | undefined): ModelAnswer {
  const refused = error ?? ("refused" in made ? made.refused : undefined);
  const { leftovers = [] } = made;
  return ask("submit", {
    summary: refused === undefined ? summaryOf(made, leftovers.length) : "Nothing was changed.",
    ...(leftovers.length > 0 ? { leftovers } : {}),
    ...(refused === undefined ? {} : { refused: refused.slice(0, mostReason) }),
  });
}

const mostReason = 4_000;

function summaryOf(made: ProgramRewrite, left: number): string {
  if ("refused" in made) return "Nothing was changed.";
  const { moved } = made;
  const move = moved ? `${moved.from} is ${moved.to} now; ` : "";
  return `${move}${countOf(made.edited)}, ${left} left over.`;
}

function countOf(edited: readonly EditedFile[]): string {
  const edits = edited.reduce((sum, file) => sum + file.edits.length, 0);
  return `${edits} edit${edits === 1 ? "" : "s"} in ${edited.length} file${edited.length === 1 ? "" : "s"}`;
}

function ask(tool: "apply_edits" | "delete" | "write" | "submit", input: unknown, text?: string): ModelAnswer {
  const call: AnswerBlock = { type: "tool_use", id: `call_${tool}`, name: tool, input };
  const content: AnswerBlock[] = text ? [{ type: "text", text }, call] : [call];
  return { content, stop: tool === "submit" ? "end_turn" : "tool_use", usage: noUsage };
}

function lastError(messages: readonly Message[]): string | undefined {
  const last = messages.at(-1);
  if (last?.role !== "user") return undefined;
  for (const block of last.content) if (block.type === "tool_result" && block.is_error) return block.content;
  return undefined;
}
