import { describe, expect, it } from "vitest";
import { type Report, readReport } from "../../src/verify/report.ts";

const root = "/work/checkout";

function read(format: Parameters<typeof readReport>[0], text: string | object): Report {
  const report = readReport(format, Buffer.from(typeof text === "string" ? text : JSON.stringify(text)), root);
  if ("unreadable" in report) throw new Error(report.unreadable);
  return report;
}

function refused(format: Parameters<typeof readReport>[0], text: string | Uint8Array | object): string {
  const bytes = text instanceof Uint8Array ? text : Buffer.from(typeof text === "string" ? text : JSON.stringify(text));
  const report = readReport(format, bytes, root);
  return "unreadable" in report ? report.unreadable : "readable";
}

const failing = (report: Report) => [...report.failing].map(([name, { count }]) => [name, count]);
const shown = (report: Report) => [...report.failing.values()].map((one) => one.shown);

describe("JUnit XML", () => {
  it("is read as pytest writes it", () => {
    const report = read(
      "junit",
      `<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.05" timestamp="2026-01-02T03:04:05" hostname="h">
      <testcase classname="tests.test_a" name="test_ok[a&lt;b&gt; &#65;&#x42;]" time="0.001" />
      <testcase classname="tests.test_a" name="test_bad" time="0.001"><failure message="assert 1 == 2">def test_bad(): &gt; assert</failure></testcase>
      <testcase classname="tests.test_a" name="test_later" time="0"><skipped type="pytest.skip" message="x">/work/checkout/tests/test_a.py:9: x</skipped></testcase>
      <testcase classname="" name="tests.test_b" time="0"><error message="collection failure"><![CDATA[<!DOCTYPE html> ]]></error></testcase>
      </testsuite></testsuites>`,
    );
    expect(failing(report)).toEqual([
      ["tests.test_a > test_bad", 1],
      ["pytest > tests.test_b", 1],
    ]);
    expect([...report.passed]).toEqual(["tests.test_a > test_ok[a<b> AB]"]);
    expect(report).toMatchObject({ looked: 3 });
  });

  it("is read as Surefire writes it: one suite at the top, a flaky test is well", () => {
    const report = read(
      "junit",
      `<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="org.A" tests="2" failures="0">
      <properties><property name="x" value="y"/></properties>
      <testcase name="sometimes" classname="org.A"><flakyFailure message="m">x</flakyFailure></testcase>
      <testcase name="never" classname="org.A"><failure/><rerunFailure/></testcase><system-out>noise</system-out></testsuite>`,
    );
    expect(failing(report)).toEqual([["org.A > never", 1]]);
    expect([...report.passed]).toEqual(["org.A > sometimes"]);
  });

  it("does not let the folder of a checkout into a name", () => {
    const text = `<testsuites><testsuite name="t"><testcase name="a" file="/work/checkout/t/a.test.js"><failure/></testcase></testsuite></testsuites>`;
    expect(failing(read("junit", text))).toEqual([["t/a.test.js > a", 1]]);
  });

  it.each([
    ["half of one", '<testsuites><testsuite name="a"><testcase name="b">', /no whole XML/],
    ["other XML", "<html><body/></html>", /without testsuites/],
    ["entities", '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><testsuites name="&b;"/>', /document type/],
    ["a tower", `${"<testsuite>".repeat(20_000)}${"</testsuite>".repeat(20_000)}`, /refused|nested/],
    ["a prototype", '<testsuite __proto__="x"><testcase name="a"/></testsuite>', /refused/],
    ["words", "Segmentation fault", /no whole XML/],
    ["bytes", Buffer.from([0x3c, 0xff, 0xfe]), /not UTF-8/],
  ])("refuses %s", (_, text, reason) => {
    expect(refused("junit", text)).toMatch(reason);
  });

  it("is not complete when it counts failures and names none", () => {
    const text =
      '<testsuites failures="2"><testsuite name="a" tests="1" failures="2"><testcase name="b"/></testsuite></testsuites>';
    expect(read("junit", text).incomplete).toMatch(/counts 2 failures/);
    expect(read("junit", "<testsuites/>")).toMatchObject({ looked: 0 });
  });
});

describe("TAP", () => {
  it("is read with subtests, directives and a package manager's own lines", () => {
    const report = read(
      "tap",
      "\n> pkg@1.0.0 test\n> node --test\n\nTAP version 13\n# Subtest: group\n    # Subtest: leaf\n    not ok 1 - leaf\n      ---\n      duration_ms: 1.2\n      failureType: 'testCodeFailure'\n      stack: |-\n        not ok 7 - nothing\n      ...\n    ok 2 - well # time=3.1ms\n    1..2\nnot ok 1 - group\n  ---\n  duration_ms: 3\n  ...\nok 2 - skipped # SKIP why\nnot ok 3 - later # TODO soon\nok 4 - fine\n1..4\n# tests 4\n",
    );
    expect(failing(report)).toEqual([["group > leaf", 1]]);
    expect([...report.passed]).toEqual(["group > well", "later", "fine"]);
    expect(report.incomplete).toBeUndefined();
  });

  it.each([
    ["ok 1 - a\nok 2 - b\n1..5\n", /incorrect number/],
    ["ok 1 - a\n", /no plan/],
    ["1..2\nok 1 - a\nBail out! no database\n", /bailed out: no database/],
  ])("is not complete: %j", (text, reason) => {
    expect(read("tap", text).incomplete).toMatch(reason);
  });

  it("is refused when it holds no line of it", () => {
    expect(refused("tap", "sh: node: not found\n")).toMatch(/no line of TAP/);
    expect(read("tap", "TAP version 13\n1..0 # SKIP nothing here\n")).toMatchObject({ looked: 0 });
  });
});

const suite = (assertionResults: object[], more: object = {}) => ({
  name: `${root}/test/a.test.ts`,
  status: "passed",
  message: "",
  assertionResults,
  ...more,
});
const run = (testResults: object[], more: object = {}) => ({
  numFailedTests: 0,
  numTotalTests: 1,
  success: true,
  testResults,
  ...more,
});
const one = (status: string, title: string) => ({ status, title, fullName: `math ${title}`, ancestorTitles: ["math"] });

describe("the JSON of Jest and Vitest", () => {
  it("names tests by file and groups, and leaves out what did not run", () => {
    const file = suite([one("passed", "adds"), one("failed", "divides"), one("pending", "x"), one("todo", "y")], {
      status: "failed",
    });
    const report = read("vitest", run([file], { numFailedTests: 1, success: false }));
    expect(failing(report)).toEqual([["test/a.test.ts > math > divides", 1]]);
    expect(report).toMatchObject({ looked: 2, passed: new Set(["test/a.test.ts > math > adds"]) });
  });

  it("takes a file that could not be run for a failure", () => {
    const file = suite([], { status: "failed", message: `SyntaxError: ${root}/src/x.ts: Unexpected token\n  at y` });
    const report = read("jest", run([file], { success: false }));
    expect(shown(report)).toEqual(["test/a.test.ts could not be run: SyntaxError: src/x.ts: Unexpected token"]);
  });

  it.each([
    [{ success: false }, /names nothing/],
    [{ numFailedTests: 3, success: false }, /counts 3 failed/],
    [{ wasInterrupted: true }, /interrupted/],
  ])("is not complete: %j", (more, reason) => {
    expect(read("jest", run([suite([one("passed", "a")])], more)).incomplete).toMatch(reason);
  });

  it("is found among other lines, but not when there is more than one or half of it", () => {
    const text = JSON.stringify(run([suite([one("passed", "a")])]));
    expect(read("jest", `\n> pkg@1 test\n> jest --json\n\n${text}\nDone in 2s.\n`).looked).toBe(1);
    expect(refused("jest", `${text}\n${text}`)).toMatch(/no JSON document/);
    expect(refused("jest", text.slice(0, -9))).toMatch(/no JSON document/);
    expect(refused("jest", [])).toMatch(/another form/);
    expect(refused("jest", "  \n")).toMatch(/empty/);
  });
});

describe("the JSON of ESLint", () => {
  it("has errors and warnings as findings, without their lines in the identity", () => {
    const message = (line: number, more: object = {}) => ({
      ruleId: "no-unused-vars",
      severity: 1,
      message: `'x' is defined on line ${line} but never used.`,
      line,
      column: 7,
      ...more,
    });
    const text = (first: number) => [
      { filePath: `${root}/src/a.js`, messages: [message(first), message(first + 4)], errorCount: 0 },
      { filePath: `${root}/src/b.js`, messages: [message(0, { ruleId: null, fatal: true, line: undefined })] },
      { filePath: `${root}/src/c.js`, messages: [], suppressedMessages: [message(1)] },
    ];
    const report = read("eslint", text(3));
    expect(report.findings[0]).toEqual({
      path: "src/a.js",
      line: 3,
      column: 7,
      rule: "no-unused-vars",
      message: "'x' is defined on line 3 but never used.",
    });
    expect(report).toMatchObject({ looked: 3, what: "finding" });
    expect(failing(report)).toEqual(failing(read("eslint", text(12))));
    expect(failing(report).map(([, count]) => count)).toEqual([2, 1]);
  });
});

describe("SARIF", () => {
  const at = (uri: string, startLine?: number, more: object = {}) => ({
    physicalLocation: { artifactLocation: { uri, ...more }, region: { startLine, startColumn: 2 } },
  });
  const log = (results: unknown, more: object = {}) => ({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver: { name: "lint", rules: [{ id: "r0" }, { id: "r1" }] } }, results, ...more }],
  });

  it("puts a finding together from rule, message and place", () => {
    const rules = [
      { id: "r0", messageStrings: { m: { text: "{0} is {1}" } }, defaultConfiguration: { level: "error" } },
    ];
    const report = read(
      "sarif",
      log(
        [
          { ruleIndex: 0, message: { id: "m", arguments: ["x", "odd"] }, locations: [at("src/a%20b.js", 4)] },
          { ruleId: "r9", level: "error", message: { text: "t" }, locations: [at(`file://${root}/src/c.js`, 1)] },
          { ruleId: "r9", message: { text: "t" }, locations: [at("lib/d.js", 1, { uriBaseId: "LIB" })] },
          {
            ruleId: "r9",
            message: { text: "t" },
            locations: [{ physicalLocation: { artifactLocation: { index: 0 } } }],
          },
        ],
        {
          tool: { driver: { name: "lint", rules } },
          artifacts: [{ location: { uri: "e.js" } }],
          originalUriBaseIds: { LIB: { uri: "packages/p/", uriBaseId: "ROOT" }, ROOT: { uri: `file://${root}/` } },
        },
      ),
    );
    expect(shown(report)).toEqual([
      "src/a b.js:4:2 x is odd (r0)",
      "src/c.js:1:2 t (r9)",
      "packages/p/lib/d.js:1:2 t (r9)",
      "e.js t (r9)",
    ]);
  });

  it("leaves out what the tool does not count itself", () => {
    const message = { text: "t" };
    const results = [
      { message, level: "note" },
      { message, level: "none" },
      { message, kind: "pass" },
      { message, baselineState: "absent" },
      { message, suppressions: [{ kind: "inSource" }] },
      { message, suppressions: [{ kind: "external", status: "rejected" }] },
    ];
    expect(read("sarif", log(results)).findings).toHaveLength(1);
    expect(read("sarif", log([]))).toMatchObject({ findings: [] });
  });

  it("takes an error about its own run for a finding, and a failed run without one for incomplete", () => {
    const note = { level: "error", message: { text: "cannot parse" }, locations: [at("src/x.js", 9)] };
    const broken = { invocations: [{ executionSuccessful: false, toolConfigurationNotifications: [note] }] };
    expect(shown(read("sarif", log([], broken)))).toEqual(["src/x.js:9:2 cannot parse"]);
    expect(read("sarif", log([], { invocations: [{ executionSuccessful: false }] })).incomplete).toMatch(/not succeed/);
    expect(read("sarif", log(null)).incomplete).toMatch(/no results/);
    expect(read("sarif", log([], { externalPropertyFileReferences: { results: [{}] } })).incomplete).toMatch(/files/);
    expect(refused("sarif", { version: "2.1.0", runs: [] })).toMatch(/no run/);
    expect(refused("sarif", { version: "2.0.0", runs: [] })).toMatch(/another form/);
  });
});
