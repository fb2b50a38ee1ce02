import type { Finding } from "../protocol/part.ts";
import type { Failing, Report } from "./report.ts";

/** Collects a report. The same identity may come many times; each time counts. */
export interface Tally {
  passed(identity: string): void;
  failed(identity: string, shown?: string): void;
  found(finding: Finding): void;
  /** Files or tests that were looked at beyond those above. */
  report(options?: { looked?: number; incomplete?: string | undefined }): Report;
}

export function openTally(what: Report["what"]): Tally {
  const failing = new Map<string, Failing>();
  const passed = new Set<string>();
  const findings: Finding[] = [];
  let ran = 0;
  const failed = (identity: string, shown = identity) => {
    ran++;
    const known = failing.get(identity);
    failing.set(identity, { count: (known?.count ?? 0) + 1, shown: known?.shown ?? shown });
  };
  return {
    passed(identity) {
      ran++;
      passed.add(identity);
    },
    failed,
    found(whole) {
      const finding = { ...whole, path: whole.path.slice(0, mostPath), message: whole.message.slice(0, mostMessage) };
      findings.push(finding);
      failed(identityOf(finding), placeOf(finding));
    },
    report({ looked, incomplete } = {}) {
      const counted = what === "test" ? ran : looked;
      return {
        what,
        failing,
        passed,
        findings,
        ...(counted === undefined ? {} : { looked: counted }),
        ...(incomplete === undefined ? {} : { incomplete }),
      };
    },
  };
}

/** Findings go into prompts and logs; a tool that prints a file into each of them must not fill those. */
const mostMessage = 1_000;
const mostPath = 4_096;

/** Lines move when a file is edited, so no line is part of an identity, not even one that a message speaks of. */
function identityOf({ path, rule, message }: Finding): string {
  const still = message.replace(/\b(lines?|columns?) \d+/gi, "$1 N").replace(/(?<!\d):\d+(:\d+)?\b/g, ":N");
  return JSON.stringify([path, rule ?? "", still]);
}

function placeOf({ path, line, column, rule, message }: Finding): string {
  const place = [path, ...(line === undefined ? [] : [line]), ...(line && column ? [column] : [])].join(":");
  const words = message.split("\n", 1)[0] ?? "";
  return `${place} ${words}${rule ? ` (${rule})` : ""}`;
}
