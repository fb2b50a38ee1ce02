import { Buffer, isAscii, isUtf8 } from "node:buffer";
import type { Language } from "../protocol/language.ts";
import type { SourceFile } from "./compiled-recipe.ts";
import { isLoaded } from "./grammars.ts";

export type { Language } from "../protocol/language.ts";

/** `.js` files may hold JSX; Flow is read as far as the JavaScript grammar goes. */
const languages: Readonly<Record<string, Language>> = {
  js: "JavaScript",
  jsx: "JavaScript",
  mjs: "JavaScript",
  cjs: "JavaScript",
  ts: "TypeScript",
  mts: "TypeScript",
  cts: "TypeScript",
  tsx: "Tsx",
  py: "Python",
  pyi: "Python",
  go: "Go",
  rs: "Rust",
  java: "Java",
};

/** The grammar for a path by its extension, or undefined when there is none or it was not loaded. */
export function languageOf(path: string): Language | undefined {
  const extension = /\.([a-z]+)$/.exec(path)?.[1];
  const language = extension !== undefined && Object.hasOwn(languages, extension) ? languages[extension] : undefined;
  return language && isLoaded(language) ? language : undefined;
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
