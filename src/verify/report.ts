import type { ReportFormat } from "../protocol/check.ts";
import type { Finding } from "../protocol/part.ts";
import { parseEslint } from "./eslint.ts";
import { parseJest } from "./jest.ts";
import { parseJunit } from "./junit.ts";
import { parseSarif } from "./sarif.ts";
import { parseTap } from "./tap.ts";

/**
 * What a command's report says, in one form for every tool. It is never taken for more than it says: what cannot be
 * read, stops early or contradicts itself says so, and a judge never makes green of that.
 */
export interface Report {
  /** Tests fail and findings are found; the words differ, and so does what their absence proves. */
  what: "test" | "finding";
  /** What is wrong, by an identity that holds on another tree: the name of a test; path, rule and message of a finding. */
  failing: ReadonlyMap<string, Failing>;
  /** Identities of tests that ran and are well; empty for findings. */
  passed: ReadonlySet<string>;
  /** Tests that ran, or files that were looked at; absent where the format does not tell. */
  looked?: number;
  findings: readonly Finding[];
  /** Why the report cannot be all there is to say. */
  incomplete?: string;
}

export interface Failing {
  /** How often that identity is there. */
  count: number;
  /** For people, with the place. */
  shown: string;
}

export type Reading = Report | { unreadable: string };

/** Reads a report in a format other than `exit`. Never throws for what it holds; `root` is the checkout it speaks of. */
export function readReport(format: Exclude<ReportFormat, "exit">, bytes: Uint8Array, root: string): Reading {
  const text = decode(bytes);
  if (text === undefined) return { unreadable: "it is not UTF-8 text" };
  if (text.trim() === "") return { unreadable: "it is empty" };
  return parsers[format](text, root);
}

const parsers: Readonly<Record<Exclude<ReportFormat, "exit">, (text: string, root: string) => Reading>> = {
  junit: parseJunit,
  tap: parseTap,
  sarif: parseSarif,
  vitest: parseJest,
  jest: parseJest,
  eslint: parseEslint,
};

/** Some tools on some systems still write UTF-16, and say so in the first two bytes. */
function decode(bytes: Uint8Array): string | undefined {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  try {
    return new TextDecoder(isUtf16 ? "utf-16le" : "utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
