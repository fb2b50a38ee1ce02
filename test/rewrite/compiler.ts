import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Texts } from "./program-view.ts";

const tsc = join(import.meta.dirname, "../../node_modules/.bin/tsc");

/**
 * What the compiler of TypeScript 7 has against these files, without their places: another program than the one the
 * recipes use. Names that are to be told apart by nothing are read as one.
 */
export function complaintsOf(texts: Texts, said: (line: string) => string = (line) => line): string[] {
  const folder = mkdtempSync(join(tmpdir(), "sheaf-compiler-"));
  try {
    for (const [path, text] of Object.entries(texts)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const printed = run(folder);
    return printed
      .split("\n")
      .filter((line) => line.includes("error TS"))
      .map((line) => said(line.replace(/\(\d+,\d+\)/, "")))
      .sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(cwd: string): string {
  try {
    return execFileSync(tsc, ["--noEmit", "--pretty", "false", "-p", "tsconfig.json"], { cwd, encoding: "utf8" });
  } catch (thrown) {
    // Packages that are not there make complaints before and after alike.
    if (thrown instanceof Error && "stdout" in thrown) return String(thrown.stdout);
    throw thrown;
  }
}
