import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Result } from "../../src/protocol/result.ts";
import { renderSummary } from "../../src/report/summary.ts";
import { aCheck, anyResult, aTask, plainResult } from "./results.ts";

const render = (more: Partial<Result> = {}, maxBytes = 900_000) =>
  renderSummary({ ...plainResult, ...more }, { maxBytes });

describe("a result as a page", () => {
  it("says the verdict first, then why, then what did not go well before what did", () => {
    const page = render({
      outcome: "failed",
      exit_code: 1,
      result_commit: null,
      reason: {
        code: "check_failed",
        message: "npm test is red",
        remedy: "mend it",
        check: "npm test",
        log: "not ok 1",
      },
      checks: [aCheck("lint"), aCheck("npm test", { state: "failed", detail: "1 new failure", tail: "not ok 1" })],
      tasks: [
        aTask("part-1", { landed: true, summary: "done" }),
        aTask("part-2", {
          state: "failed",
          landed: false,
          reason: { code: "x", message: "threw" },
          patch_file: "/p/x",
        }),
      ],
      denials: [{ task: "part-2", tool: "write", input: "../x", rule: "scope", reason: "outside" }],
      unsplit: [{ path: "a.bin", reason: "binary" }],
    });
    expect(page.split("\n").filter((line) => line !== "")).toEqual([
      "## ❌ Sheaf: failed (exit 1)",
      "**Why** <code>npm test is red</code>",
      "**Try** <code>mend it</code>",
      "```text",
      "not ok 1",
      "```",
      "|  |  |",
      "| --- | --- |",
      "| Job | <code>lint-3</code> |",
      "| Took | 2m04s |",
      `| Base | <code>${"4".repeat(40)}</code> |`,
      "| Result | nothing landed |",
      "| Published | nothing |",
      `| Trace | <code>${"a".repeat(32)}</code> |`,
      "### Checks: 1 of 2 passed",
      "|  | Check |  | Took |",
      "| --- | --- | --- | --- |",
      "| ❌ failed | <code>npm test</code> | <code>1 new failure</code> | 1.2 s |",
      "| ✅ passed | <code>lint</code> |  | 1.2 s |",
      "### Tasks: 1 of 2 landed (1 file, +2 -3)",
      "|  | Task | Files | Lines |  | Patch |",
      "| --- | --- | --- | --- | --- | --- |",
      "| ❌ failed | <code>part-2</code> | 1 | +2 -3 | <code>threw</code> | <code>patches/part-2.patch</code> |",
      "| ✅ landed | <code>part-1</code> | 1 | +2 -3 | <code>done</code> |  |",
      "### Denied: 1",
      "| Task | Tool | Asked for | Rule | Reason |",
      "| --- | --- | --- | --- | --- |",
      "| <code>part-2</code> | <code>write</code> | <code>../x</code> | <code>scope</code> | <code>outside</code> |",
      "### Seen and left alone: 1",
      "| Place |  | Reason |",
      "| --- | --- | --- |",
      "| <code>a.bin</code> |  | <code>binary</code> |",
      "### Next",
      "|  |  |",
      "| --- | --- |",
      "| <code>sheaf show lint-3</code> | <code>who did what</code> |",
    ]);
  });

  it("counts what a table has no room for", () => {
    const tasks = Array.from({ length: 1_000 }, (_, index) => aTask(`part-${index}`));
    const page = render({ tasks });
    expect(page).toContain("### Tasks: 1000 of 1000 landed");
    expect(page).toContain("\n900 more tasks are not shown here.\n");
  });

  it("stays within its bytes, whatever they are, and says where it was cut", () => {
    const long = "ä`|<".repeat(2_000);
    const tasks = Array.from({ length: 300 }, (_, index) =>
      aTask(`part-${index}`, { state: "failed", landed: false, reason: { code: "x", message: long } }),
    );
    const checks = Array.from({ length: 20 }, (_, index) =>
      aCheck(`check ${index}`, { state: "failed", tail: `${long}\n`.repeat(500) }),
    );
    const whole = render({ tasks, checks }, Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(fc.integer({ min: -10, max: Buffer.byteLength(whole) + 100 }), (maxBytes) => {
        const page = render({ tasks, checks }, maxBytes);
        expect(Buffer.byteLength(page)).toBeLessThanOrEqual(Math.max(0, maxBytes));
        if (page === whole || page === "") return;
        expect(page.endsWith("has all of it.\n")).toBe(true);
        expectSound(page);
      }),
      { numRuns: 30 },
    );
  });

  it("makes nothing but code of what others wrote: every table keeps its columns, every fence its end", () => {
    fc.assert(
      fc.property(anyResult, fc.integer({ min: 200, max: 20_000 }), (result, maxBytes) => {
        expectSound(renderSummary(result, { maxBytes }));
        expectSound(renderSummary(result, { maxBytes: 900_000 }));
      }),
      { numRuns: 100 },
    );
  });
});

/** Reads a page as Markdown is read: fences first, then tables; all other text must be ours. */
function expectSound(page: string): void {
  expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u);
  let columns = 0;
  for (const line of outsideFences(page)) {
    const bare = line.replace(/<code>[^<>|\\`@[\]*_~]*<\/code>/g, "");
    expect(bare).not.toMatch(/[<>`@[\]\\]/);
    columns = bare.startsWith("|") ? columns || bare.split("|").length : 0;
    if (columns > 0) expect(bare.split("|")).toHaveLength(columns);
  }
}

function outsideFences(page: string): string[] {
  let fence = "";
  const outside = page.split("\n").filter((line) => {
    const wasInside = fence !== "";
    if (!wasInside) fence = /^(`{3,})text$/.exec(line)?.[1] ?? "";
    else if (line.startsWith(fence) && /^`+ *$/.test(line)) fence = "";
    return !wasInside && fence === "";
  });
  expect(fence).toBe("");
  return outside;
}
