import { z } from "zod";
import { filePath } from "./path-input.ts";
import { defineTool, failed } from "./tool.ts";

export const deleteFile = defineTool({
  name: "delete",
  description: "Deletes a file, or a symlink (never what it points to). Directories go with their last file.",
  input: z.strictObject({ file_path: filePath }),
  effect: "edit",
  isAboutLinks: true,
  paths: ({ file_path: path }) => [{ tool: "Edit", path }],
  async run(_input, { at: [at], files }) {
    if (!at) return failed("no path was resolved");
    const path = at.canonical;
    if (!at.exists) return failed(`${JSON.stringify(path)} does not exist, so there is nothing to delete`);
    const outcome = await files.remove(path);
    if ("refused" in outcome) return failed(outcome.refused);
    return { content: `deleted ${path}`, changed: [{ path, mode: outcome.mode, blob: null }] };
  },
});
