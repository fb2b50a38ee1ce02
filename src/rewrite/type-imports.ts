import type { Token } from "./specifier-candidates.ts";

/** A text that the TypeScript grammar can read, of the same length and lines, and what was written over in it. */
export interface Veiled {
  text: string;
  imports: VeiledImport[];
}

/** `token` is a name in the veiled text that stands where `import("fs")` is; `name` is the `fs` in the source. */
export interface VeiledImport {
  token: Token;
  name: Token;
}

/**
 * The grammar takes `importOriginal<typeof import("fs")>()` for comparisons, `Omit<import("fs").A<B>, "c">` for a
 * syntax error, and knows no `export import`. So it is shown names and spaces in their place. Where the name is one
 * in the tree, `import("fs")` is code: a type or a call, and a name to resolve in both.
 */
export function veilTypeImports(source: string): Veiled {
  if (!source.includes("import")) return { text: source, imports: [] };
  const imports: VeiledImport[] = [];
  const text = source
    .replaceAll(typeImport, (written, quote: string, name: string, start: number) => {
      const at = start + written.indexOf(quote) + 1;
      imports.push({
        token: { start, end: start + written.length },
        name: { start: at, end: at + name.length },
      });
      return written.replaceAll(/\W/g, "_");
    })
    .replaceAll(exportedImport, (written) => " ".repeat(written.length));
  return { text, imports };
}

const typeImport = /(?<![\w$])import[ \t]*\([ \t]*(["'])([^"'\\\n]+)\1[ \t]*\)/g;
const exportedImport = /\bexport(?=[ \t]+import[ \t]+(?:type[ \t]+)?[\w$]+[ \t]*=[ \t]*require\b)/g;
