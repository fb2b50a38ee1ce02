import { z } from "zod";
import { decodeText, readExisting } from "./existing-file.ts";
import { filePath, wellFormedText } from "./path-input.ts";
import { defineTool, failed } from "./tool.ts";
import { replaceContent } from "./write.ts";

export const edit = defineTool({
  name: "edit",
  description:
    "Replaces text in a file. old_string must occur exactly once (give more of what surrounds it), or set " +
    "replace_all. It is compared exactly, white space included and without the line numbers that read shows; line " +
    "endings of the file are kept.",
  input: z.strictObject({
    file_path: filePath,
    old_string: wellFormedText.describe("The text to replace, exactly as the file has it"),
    new_string: wellFormedText.describe("The text to put there"),
    replace_all: z.boolean().optional().describe("Replace every occurrence; default false"),
  }),
  effect: "edit",
  paths: ({ file_path: path }) => [{ tool: "Edit", path }],
  async run({ old_string, new_string, replace_all = false }, context) {
    const [at] = context.at;
    if (!at) return failed("no path was resolved");
    const file = await readExisting(at, context.files);
    if ("refused" in file) return failed(file.refused);
    const decoded = decodeText(file.bytes, at.canonical);
    if ("refused" in decoded) return failed(decoded.refused);
    const edited = replaceText(decoded.text, { old: old_string, new: new_string, isForAll: replace_all });
    if ("refused" in edited) return failed(`${at.canonical}: ${edited.refused}`);
    const done = `${edited.count} replacement${edited.count === 1 ? "" : "s"}`;
    return replaceContent(at, new TextEncoder().encode(edited.text), { context, done });
  },
});

interface Replacement {
  old: string;
  new: string;
  isForAll: boolean;
}

/** Pure: the new text, or why there is none. */
function replaceText(text: string, asked: Replacement): { text: string; count: number } | { refused: string } {
  if (asked.old === "") return { refused: "old_string is empty; use write to give a file its whole content" };
  if (asked.old === asked.new) return { refused: "old_string and new_string are the same, so nothing would change" };
  const wanted = asLineEndings(text, asked);
  const places = countPlaces(text, wanted.old);
  if (places === 0) {
    return { refused: "old_string was not found; read the file again and copy the text exactly, without line numbers" };
  }
  if (places > 1 && !asked.isForAll) {
    const remedy = "give more of the text around the one you mean, or set replace_all";
    return { refused: `old_string was found ${places} times, not once; ${remedy}` };
  }
  const parts = text.split(wanted.old);
  return { text: parts.join(wanted.new), count: parts.length - 1 };
}

/** In a file of CRLF lines both strings get its line ends; in a mixed one, only if that is how they match. */
function asLineEndings(text: string, asked: Replacement): Pick<Replacement, "old" | "new"> {
  if (!text.includes("\r\n")) return asked;
  const converted = { old: toCrlf(asked.old), new: toCrlf(asked.new) };
  const isAllCrlf = !/(?<!\r)\n/.test(text);
  return isAllCrlf || !text.includes(asked.old) ? converted : asked;
}

function toCrlf(text: string): string {
  return text.replace(/\r?\n/g, "\r\n");
}

/** Occurrences that overlap count too: which one is meant is just as open. */
function countPlaces(text: string, sought: string): number {
  let count = 0;
  for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + 1)) count++;
  return count;
}
