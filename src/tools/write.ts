import { z } from "zod";
import type { Contained } from "../files/contain.ts";
import { changedFile } from "./blob-id.ts";
import { mostFileBytes } from "./existing-file.ts";
import { filePath, wellFormedText } from "./path-input.ts";
import { defineTool, failed, type RunContext, type ToolOutcome } from "./tool.ts";

export const write = defineTool({
  name: "write",
  description:
    "Writes a whole file: makes it, with the directories it needs, or replaces what it held. Prefer edit for a " +
    "change to an existing file.",
  input: z.strictObject({
    file_path: filePath,
    content: wellFormedText.describe("The whole new content"),
    executable: z.boolean().optional().describe("Whether a new file may be run; one that is there keeps what it has"),
  }),
  effect: "edit",
  paths: ({ file_path: path }) => [{ tool: "Edit", path }],
  async run({ content, executable: isExecutable = false }, context) {
    const [at] = context.at;
    if (!at) return failed("no path was resolved");
    const bytes = new TextEncoder().encode(content);
    if (bytes.length > mostFileBytes) return failed(`content is too large: ${bytes.length} bytes of ${mostFileBytes}`);
    return replaceContent(at, bytes, { context, done: `${bytes.length} bytes`, isExecutable });
  },
});

/** Gives one file new content; `done` says in the result what came of it. */
export async function replaceContent(
  at: Contained,
  bytes: Uint8Array,
  { context, done, isExecutable = false }: { context: RunContext; done: string; isExecutable?: boolean },
): Promise<ToolOutcome> {
  const path = at.canonical;
  if (at.blockedBy !== undefined) return failed(`${JSON.stringify(path)} cannot be written: ${at.blockedBy} is a file`);
  if (at.exists && at.kind !== "file") return failed(`${JSON.stringify(path)} cannot be written: it is a ${at.kind}`);
  const outcome = await context.files.writeAll([{ path, content: bytes, isExecutable }]);
  if ("refused" in outcome) return failed(outcome.refused);
  const changed = outcome.written.map((written) => changedFile(written, bytes, context.objectFormat));
  const verb = outcome.written[0]?.isNew ? "made" : "changed";
  return { content: `${verb} ${showWritten(at)}: ${done}`, changed };
}

function showWritten({ requested, canonical, viaLinks }: Contained): string {
  return viaLinks.length > 0 ? `${canonical} (through the symlink ${requested})` : canonical;
}
