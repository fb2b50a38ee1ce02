import fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import type { Result } from "../../src/protocol/result.ts";
import { renderJunit } from "../../src/report/junit.ts";
import { aCheck, anyResult, aTask, plainResult } from "./results.ts";

const render = (more: Partial<Result> = {}) => renderJunit({ ...plainResult, ...more }, { hostname: "host" });

/** The elements in order: `[name, attributes, children]`, or a text. */
type Node = [name: string, attributes: Record<string, string>, children: (Node | string)[]];

function parsed(xml: string): Node {
  expect(XMLValidator.validate(xml)).toBe(true);
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    trimValues: false,
  });
  const nodes = (parser.parse(xml) as Raw[]).filter((raw) => raw["#text"] === undefined && raw["?xml"] === undefined);
  expect(nodes).toHaveLength(1);
  return nodeOf(nodes[0] ?? {});
}

type Raw = Record<string, unknown>;

function nodeOf(raw: Raw): Node {
  const name = Object.keys(raw).find((key) => key !== ":@") ?? "";
  const children = (raw[name] as Raw[]).map((child) => ("#text" in child ? String(child["#text"]) : nodeOf(child)));
  return [name, (raw[":@"] ?? {}) as Record<string, string>, children];
}

const elementsOf = ([, , children]: Node) => children.filter((child): child is Node => typeof child !== "string");
const casesOf = (xml: string) =>
  elementsOf(parsed(xml)).flatMap((suite) => elementsOf(suite).filter(([name]) => name === "testcase"));
const stateOf = (node: Node) => elementsOf(node)[0]?.[0] ?? "passed";

describe("a result as JUnit XML", () => {
  it("has a case for the outcome, each check and each task, with reason and tail where it is red", () => {
    const xml = render({
      outcome: "failed",
      exit_code: 1,
      reason: { code: "check_failed", message: 'check "npm test": 2 new failures', log: "not ok 1", remedy: "mend it" },
      checks: [
        aCheck("npm test", { state: "failed", detail: "2 new failures", tail: "not ok 1", failing: ["adds tax"] }),
        aCheck("lint", { task: "part-1" }),
        aCheck("slow", { state: "skipped", detail: "an earlier check was red" }),
        aCheck("claims", { state: "unverified", detail: "the report is empty" }),
      ],
      tasks: [
        aTask("part-1", { landed: false }),
        aTask("part-2", { state: "no_changes", landed: false }),
        aTask("part-3", {
          state: "failed",
          landed: false,
          reason: { code: "script", message: "it threw" },
          patch_file: "/p",
        }),
        aTask("part-4", { state: "limit", landed: false, reason: { code: "time", message: "too long" } }),
      ],
    });
    const told = casesOf(xml).map((node) => [node[1].classname, node[1].name, stateOf(node)]);
    expect(told).toEqual([
      ["lint.outcome", "job lint", "failure"],
      ["lint.checks", "npm test", "failure"],
      ["lint.checks", "lint on task part-1", "passed"],
      ["lint.checks", "slow", "skipped"],
      ["lint.checks", "claims", "failure"],
      ["lint.tasks", "task part-1", "skipped"],
      ["lint.tasks", "task part-2", "passed"],
      ["lint.tasks", "task part-3", "failure"],
      ["lint.tasks", "task part-4", "error"],
    ]);
    expect(xml).toContain("2 new failures\nfails: adds tax\nnot ok 1</failure>");
    expect(xml).toContain("it threw\npatch: /p</failure>");
    expect(xml).toContain('type="check_failed" message="failed: check &#34;npm test&#34;: 2 new failures"');
  });

  it("is all green exactly when the job ended with 0 and its parts did", () => {
    expect(casesOf(render({ checks: [aCheck("a")], tasks: [aTask("t")] })).map(stateOf)).toEqual([
      "passed",
      "passed",
      "passed",
    ]);
    for (const [outcome, exit_code, state] of [
      ["cancelled", 130, "error"],
      ["limit", 11, "error"],
      ["error", 70, "error"],
      ["partial", 10, "failure"],
      ["blocked", 13, "failure"],
    ] as const) {
      expect(casesOf(render({ outcome, exit_code })).map(stateOf)).toEqual([state]);
    }
  });

  it("has the form of both common schemas and counts what it holds, whatever texts are in it", () => {
    fc.assert(
      fc.property(anyResult, (result) => {
        const root = parsed(renderJunit(result, { hostname: "host" }));
        expect([root[0], root[1]]).toEqual(["testsuites", {}]);
        elementsOf(root).forEach((suite, index) => {
          expect(suite[0]).toBe("testsuite");
          checkSuite(suite, index);
        });
        const cases = elementsOf(root)
          .flatMap(elementsOf)
          .filter(([name]) => name === "testcase");
        expect(cases).toHaveLength(1 + result.checks.length + result.tasks.length);
        if (result.exit_code !== 0) expect(cases.some((node) => /^(?:failure|error)$/.test(stateOf(node)))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

/** What the two schemas ask of a suite (JUnit.xsd of Ant, junit-10.xsd of Jenkins). */
function checkSuite(suite: Node, index: number): void {
  const [, attributes] = suite;
  const children = elementsOf(suite);
  const cases = children.filter(([name]) => name === "testcase");
  const required = ["id", "name", "package", "hostname", "timestamp", "tests", "failures", "errors", "skipped", "time"];
  expect(Object.keys(attributes)).toEqual(required);
  expect(attributes).toMatchObject({
    id: String(index),
    timestamp: "2026-01-02T03:04:05",
    tests: String(cases.length),
  });
  for (const name of ["name", "package", "hostname"]) expect(attributes[name]).toMatch(/^\S+(?: \S+)*$/);
  expect(children.map(([name]) => name)).toEqual([
    "properties",
    ...cases.map(() => "testcase"),
    "system-out",
    "system-err",
  ]);
  const count = (kind: string) => String(cases.filter((node) => stateOf(node) === kind).length);
  expect([attributes.failures, attributes.errors, attributes.skipped]).toEqual(
    ["failure", "error", "skipped"].map(count),
  );
  for (const node of cases) {
    expect(Object.keys(node[1])).toEqual(["classname", "name", "time"]);
    expect(node[1].time).toMatch(/^\d+\.\d{3}$/);
    expect(elementsOf(node).length).toBeLessThanOrEqual(1);
    for (const [, about] of elementsOf(node)) expect(Object.keys(about)).toEqual(["type", "message"]);
  }
}
