import type ts from "@typescript/typescript6";
import { wordsOf } from "./program-projects.ts";
import type { OpenProject } from "./program-service.ts";

/** What the compiler finds wrong in some files of the open projects, to be compared before and after a change. */
export interface Complaint {
  path: string;
  /** UTF-16 index in the file. */
  start: number;
  length: number;
  message: string;
  code: number;
  isSyntax: boolean;
}

export type Complaints = ReadonlyMap<string, readonly Complaint[]>;

/** Each file is looked at in the first project that holds it. */
export async function complaintsIn(
  paths: readonly string[],
  projects: readonly OpenProject[],
  breathe: () => Promise<void>,
): Promise<Complaints> {
  const found = new Map<string, Complaint[]>();
  for (const path of paths) {
    await breathe();
    const project = projects.find((each) => each.source(path));
    const source = project?.source(path);
    if (!project || !source) continue;
    const syntax = project.service.getSyntacticDiagnostics(source.fileName);
    const semantic = project.service.getSemanticDiagnostics(source.fileName);
    found.set(path, [
      ...syntax.map((each) => complaint(path, each, true)),
      ...semantic.map((each) => complaint(path, each, false)),
    ]);
  }
  return found;
}

/** Those that were not there before; names that change with the change are read as `said` says. */
export function newComplaints(before: Complaints, after: Complaints, said: (message: string) => string): Complaint[] {
  return [...after].flatMap(([path, complaints]) => {
    const known = new Map<string, number>();
    for (const each of before.get(path) ?? []) count(known, `${each.code} ${said(each.message)}`, 1);
    return complaints.filter((each) => count(known, `${each.code} ${said(each.message)}`, -1) < 0);
  });
}

function count(known: Map<string, number>, key: string, by: number): number {
  const now = (known.get(key) ?? 0) + by;
  known.set(key, now);
  return now;
}

function complaint(path: string, diagnostic: ts.Diagnostic, isSyntax: boolean): Complaint {
  const { start = 0, length = 0, code } = diagnostic;
  return { path, start, length, message: wordsOf(diagnostic), code, isSyntax };
}
