import { Buffer, isAscii, isUtf8 } from "node:buffer";
import { endingsOfLanguage, type Language, language } from "../protocol/language.ts";
import type { SourceFile } from "./compiled-recipe.ts";
import { isLoaded } from "./grammars.ts";

export type { Language } from "../protocol/language.ts";

const languages: ReadonlyMap<string, Language> = new Map(
  Object.entries(endingsOfLanguage).flatMap(([name, endings]) =>
    endings.map((ending) => [ending, language.parse(name)] as const),
  ),
);

/** The grammar for a path by its extension, or undefined when there is none or it was not loaded. */
export function languageOf(path: string): Language | undefined {
  const extension = /\.([a-z]+)$/.exec(path)?.[1];
  const found = extension === undefined ? undefined : languages.get(extension);
  return found && isLoaded(found) ? found : undefined;
}

/** The same for JavaScript and TypeScript alone. */
export function scriptLanguageOf(path: string): ScriptLanguage | undefined {
  const language = languageOf(path);
  return language === "JavaScript" || language === "TypeScript" || language === "Tsx" ? language : undefined;
}

export type ScriptLanguage = "JavaScript" | "TypeScript" | "Tsx";

/** A decoded file. A byte order mark stays in `text`, so that positions agree with the bytes. */
export interface SourceText {
  path: string;
  language: Language;
  text: string;
  isAscii: boolean;
}

/** Above this size a file is a bundle or data; parsing it would hold the thread for seconds. */
const largestSourceBytes = 4 * 1024 * 1024;

/** The text of a file, or in words why it is not touched. */
export function readSource(file: SourceFile): SourceText | { skipped: string } {
  const language = languageOf(file.path);
  if (!language) return { skipped: "language not covered" };
  const { path, bytes } = file;
  if (bytes.length > largestSourceBytes)
    return { skipped: `too large: ${bytes.length} bytes, most is ${largestSourceBytes}` };
  if (bytes.includes(0)) return { skipped: "not text: it holds a NUL byte" };
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isAscii(view)) return { path, language, text: view.toString("latin1"), isAscii: true };
  if (!isUtf8(view)) return { skipped: "not valid UTF-8" };
  return { path, language, text: view.toString("utf8"), isAscii: false };
}
