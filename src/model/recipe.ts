import { createHash } from "node:crypto";
import { setImmediate as nextTick } from "node:timers/promises";
import type { Leftover } from "../protocol/claim.ts";
import { type AnswerBlock, type Message, noUsage } from "../protocol/message.ts";
import type { CompiledRecipe, TextEdit } from "../rewrite/engine.ts";
import type { Model, ModelAnswer } from "./model.ts";

/**
 * A deterministic codemod in the seat of a model. It asks for its edits with an ordinary `apply_edits` call and ends
 * with an ordinary `submit`, so scope, log, merge and trace treat it as they treat any other agent.
 */
export interface RecipeView {
  /** The files the task is about. */
  files: readonly string[];
  /** A file's bytes through the run's own scope, or why it cannot be had. */
  read(path: string): Promise<{ bytes: Uint8Array } | { refused: string }>;
  /** Why the run may not edit that file; undefined when it may. One such file must not cost the others. */
  editRefusal(path: string): string | undefined;
}

/** Files between two looks at the event loop, so that a thread always answers a ping. */
const filesPerBreath = 8;

export function recipeModel(name: string, recipe: CompiledRecipe, view: RecipeView): Model {
  const found: Findings = { files: [], edits: 0, leftovers: [], skipped: 0 };
  return {
    name,
    async answer(request, signal) {
      const turn = request.messages.filter((said) => said.role === "assistant").length;
      if (turn === 0) {
        await search(recipe, view, found, signal);
        if (found.files.length > 0) return ask("apply_edits", { files: found.files }, `${count(found)}.`);
      }
      return submit(found, turn === 0 ? undefined : lastError(request.messages));
    },
  };
}

interface Findings {
  files: { file_path: string; expect_sha256: string; edits: TextEdit[] }[];
  edits: number;
  leftovers: Leftover[];
  skipped: number;
}

async function search(recipe: CompiledRecipe, view: RecipeView, found: Findings, signal: AbortSignal): Promise<void> {
  const covered = view.files.filter((path) => recipe.covers(path));
  for (const [index, path] of covered.entries()) {
    if (index % filesPerBreath === 0) await nextTick();
    signal.throwIfAborted();
    await searchOne(recipe, view, found, path);
  }
}

async function searchOne(recipe: CompiledRecipe, view: RecipeView, found: Findings, path: string): Promise<void> {
  const source = await view.read(path);
  if ("refused" in source) return skip(found, path, source.refused);
  const rewrite = recipe.rewrite({ path, bytes: source.bytes });
  if (rewrite.skipped !== undefined) return skip(found, path, rewrite.skipped);
  found.leftovers.push(...rewrite.leftovers);
  if (rewrite.edits.length === 0) return;
  const refusal = view.editRefusal(path);
  if (refusal !== undefined) return skip(found, path, refusal);
  found.edits += rewrite.edits.length;
  const expect_sha256 = createHash("sha256").update(source.bytes).digest("hex");
  found.files.push({ file_path: path, expect_sha256, edits: rewrite.edits });
}

function skip(found: Findings, path: string, reason: string): void {
  found.skipped += 1;
  found.leftovers.push({ path, line: 1, column: 1, text: "", reason });
}

function submit(found: Findings, refused: string | undefined): ModelAnswer {
  return ask("submit", {
    summary: refused ? "The edits were not taken." : `${count(found)}, ${found.leftovers.length} left over.`,
    ...(found.leftovers.length > 0 ? { leftovers: found.leftovers } : {}),
    ...(refused ? { refused } : {}),
  });
}

function count(found: Findings): string {
  if (found.files.length === 0) return "Nothing to do";
  return `${found.edits} edit${found.edits === 1 ? "" : "s"} in ${found.files.length} file${found.files.length === 1 ? "" : "s"}`;
}

function ask(tool: "apply_edits" | "submit", input: unknown, text?: string): ModelAnswer {
  const call: AnswerBlock = { type: "tool_use", id: `call_${tool}`, name: tool, input };
  const content: AnswerBlock[] = text ? [{ type: "text", text }, call] : [call];
  return { content, stop: tool === "submit" ? "end_turn" : "tool_use", usage: noUsage };
}

function lastError(messages: readonly Message[]): string | undefined {
  const last = messages.at(-1);
  if (last?.role !== "user") return undefined;
  for (const block of last.content)
    if (block.type === "tool_result" && block.is_error) return block.content.slice(0, 4_000);
  return undefined;
}
