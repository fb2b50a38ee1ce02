import { z } from "zod";

const lines = (what: string) => z.number().int().min(0).max(1_000).optional().describe(what);

/** The names and meanings of Claude's own Grep tool, with a JavaScript expression in the place of ripgrep's. */
export const grepInput = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(2_000)
    .describe(
      "JavaScript regular expression, matched line by line; \\ before . * + ? ( ) [ ] { } | ^ $ makes them plain",
    ),
  path: z
    .string()
    .min(1)
    .optional()
    .describe("File or directory to search, relative to the repository root; default all"),
  glob: z.string().min(1).max(1_000).optional().describe("Only files like this: *.ts, src/**/*.{js,jsx}"),
  type: z
    .enum([
      "c",
      "cpp",
      "cs",
      "css",
      "go",
      "html",
      "java",
      "js",
      "json",
      "kotlin",
      "md",
      "php",
      "py",
      "ruby",
      "rust",
      "sh",
      "sql",
      "swift",
      "toml",
      "ts",
      "xml",
      "yaml",
    ])
    .optional()
    .describe("Only files of this language"),
  output_mode: z
    .enum(["content", "files_with_matches", "count"])
    .optional()
    .describe("content: the lines; files_with_matches (default): the paths; count: matching lines of each file"),
  "-A": lines("Lines to show after each match, in content mode"),
  "-B": lines("Lines to show before each match"),
  "-C": lines("Lines to show before and after each match"),
  context: lines("The same as -C"),
  "-n": z.boolean().optional().describe("Show line numbers in content mode; default true"),
  "-i": z.boolean().optional().describe("Ignore case"),
  multiline: z.boolean().optional().describe("Matches may go over lines, and . takes newlines; default false"),
  head_limit: z.number().int().min(0).optional().describe("Most lines of output; default 250, 0 for as many as fit"),
  offset: z
    .number()
    .int()
    .min(0)
    .max(10_000_000)
    .optional()
    .describe("Lines of output to pass over, for what head_limit cut off"),
});
export type GrepInput = z.infer<typeof grepInput>;

/** Ends of file names, by type. */
export const endingsOf: Readonly<Record<NonNullable<GrepInput["type"]>, readonly string[]>> = {
  c: ["c", "h"],
  cpp: ["cpp", "cc", "cxx", "hpp", "hh", "hxx", "h", "inl"],
  cs: ["cs"],
  css: ["css", "scss", "sass", "less"],
  go: ["go"],
  html: ["html", "htm", "xhtml"],
  java: ["java"],
  js: ["js", "jsx", "mjs", "cjs", "vue"],
  json: ["json", "jsonc", "json5"],
  kotlin: ["kt", "kts"],
  md: ["md", "mdx", "markdown"],
  php: ["php", "phtml"],
  py: ["py", "pyi"],
  ruby: ["rb", "gemspec", "rake"],
  rust: ["rs"],
  sh: ["sh", "bash", "zsh", "ksh"],
  sql: ["sql"],
  swift: ["swift"],
  toml: ["toml"],
  ts: ["ts", "tsx", "mts", "cts"],
  xml: ["xml", "xsd", "xsl", "xslt", "svg"],
  yaml: ["yaml", "yml"],
};
