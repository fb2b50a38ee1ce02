import { z } from "zod";
import { choice } from "./not-built.ts";

/** Languages that recipes know. The last four come with optional packages of ast-grep. */
export const language = z.enum(["JavaScript", "TypeScript", "Tsx", "Python", "Go", "Rust", "Java"]);
export type Language = z.infer<typeof language>;

/** Ends of file names. `.js` files may hold JSX; Flow is read as far as the JavaScript grammar goes. */
export const endingsOfLanguage: Readonly<Record<Language, readonly string[]>> = {
  JavaScript: ["js", "jsx", "mjs", "cjs"],
  TypeScript: ["ts", "mts", "cts"],
  Tsx: ["tsx"],
  Python: ["py", "pyi"],
  Go: ["go"],
  Rust: ["rs"],
  Java: ["java"],
};

/** What people write, and the language it means. */
export const languageByName = {
  JavaScript: "JavaScript",
  javascript: "JavaScript",
  js: "JavaScript",
  jsx: "JavaScript",
  TypeScript: "TypeScript",
  typescript: "TypeScript",
  ts: "TypeScript",
  Tsx: "Tsx",
  TSX: "Tsx",
  tsx: "Tsx",
  Python: "Python",
  python: "Python",
  py: "Python",
  Go: "Go",
  go: "Go",
  Rust: "Rust",
  rust: "Rust",
  rs: "Rust",
  Java: "Java",
  java: "Java",
} as const satisfies Readonly<Record<string, Language>>;

type Written = keyof typeof languageByName;

export const writtenLanguage = choice(Object.keys(languageByName) as [Written, ...Written[]]);
