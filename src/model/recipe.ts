import { createHash } from "node:crypto";
import { setImmediate as nextTick } from "node:timers/promises";
import type { Leftover } from "../protocol/claim.ts";
import { type AnswerBlock, type Message, noUsage } from "../protocol/message.ts";
import type { CompiledRecipe, FileRewrite, SourceFile } from "../rewrite/compiled-recipe.ts";
import type { TextEdit } from "../rewrite/text-edit.ts";
import type { Model, ModelAnswer } from "./model.ts";

/**
 * A deterministic codemod in the seat of a model. It asks for its edits with an ordinary `apply_edits` call and ends
 * with an ordinary `submit`, so scope, log, merge and trace treat it as they treat any other agent.
 */
export interface RecipeView {
  /** The files the task is about. */
  files: readonly string[];
  /** A file's bytes through the run's own scope, or why it cannot be had. */
  read(path: string): Promise<{ bytes: Uint8Array; isExecutable: boolean } | { refused: string }>;
  /** Why the run may not edit that file; undefined when it may. One such file must not cost the others. */
  editRefusal(path: string): string | undefined;
}

/** Files between two looks at the event loop, so that a thread always answers a ping. */
const filesPerBreath = 8;

export function recipeModel(name: string, recipe: CompiledRecipe, view: RecipeView): Model {
  const found: Findings = { files: [], edits: 0, leftovers: [], skipped: 0 };
  return {
    name,
    async answer(request, { signal }) {
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
  let coming = readSome(covered, 0, view);
  for (let start = 0; start < covered.length; start += filesPerBreath) {
    const sources = await coming;
    // The next files are on their way while these are searched.
    coming = readSome(covered, start + filesPerBreath, view);
    await nextTick();
    signal.throwIfAborted();
    for (const { path, source } of sources) searchOne(recipe, view, found, { path, source });
  }
  await coming;
}

type Source = Awaited<ReturnType<RecipeView["read"]>>;

function readSome(
  paths: readonly string[],
  start: number,
  view: RecipeView,
): Promise<{ path: string; source: Source }[]> {
  const some = paths.slice(start, start + filesPerBreath);
  return Promise.all(some.map(async (path) => ({ path, source: await view.read(path) })));
}

function searchOne(
  recipe: CompiledRecipe,
  view: RecipeView,
  found: Findings,
  { path, source }: { path: string; source: Source },
): void {
  if ("refused" in source) {
    skip(found, path, source.refused);
    return;
  }
  const file = { path, bytes: source.bytes };
  const rewrite = recipe.rewrite(file);
  if (rewrite.skipped === undefined) keepRewrite(rewrite, view, found, file);
  else skip(found, path, rewrite.skipped);
}

function keepRewrite(rewrite: FileRewrite, view: RecipeView, found: Findings, file: SourceFile): void {
  found.leftovers.push(...rewrite.leftovers);
  if (rewrite.edits.length === 0) return;
  const refusal = view.editRefusal(file.path);
  if (refusal !== undefined) {
    skip(found, file.path, refusal);
    return;
  }
  found.edits += rewrite.edits.length;
  const expect_sha256 = createHash("sha256").update(file.bytes).digest("hex");
  found.files.push({ file_path: file.path, expect_sha256, edits: rewrite.edits });
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
