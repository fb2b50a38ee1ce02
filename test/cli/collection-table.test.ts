import { expect, it } from "vitest";
import { collectionLines } from "../../src/cli/collection-table.ts";
import { ageMs } from "../../src/protocol/age.ts";

it("what goes, what stays, what was kept and what failed are told line by line, and nothing a terminal would act on", () => {
  const report = {
    schema: "sheaf.gc/v1" as const,
    is_dry_run: false,
    rows: [
      { what: "workspaces", count: 2, bytes: 12_345_678, why: "their job is over" },
      { what: "refs", count: 12, bytes: 0, why: "past their time" },
    ],
    left: [{ what: "refs", count: 1, why: "not\u001b[31m known" }],
    salvaged: [{ of: "job-1 one", file: "/home/salvage/job-1/x.patch" }],
    failed: [{ what: "setups", name: "/home/setups/x", why: "EBUSY" }],
  };
  const lines = collectionLines(report);
  expect(lines.slice(0, 3)).toEqual([
    "GONE        HOW MANY  SIZE   WHY",
    "workspaces  2         12 MB  their job is over",
    "refs        12               past their time",
  ]);
  expect(lines.join("\n")).not.toContain("\u001b");
  expect(lines.slice(-2)).toEqual([
    "kept   job-1 one: its work is in /home/salvage/job-1/x.patch",
    "failed setups /home/setups/x: EBUSY",
  ]);
  expect(collectionLines({ ...report, is_dry_run: true }).at(0)).toMatch(/^WOULD GO/);
  const nothing = { ...report, rows: [], left: [], salvaged: [], failed: [] };
  expect(collectionLines(nothing)).toEqual(["there is nothing to clear away"]);
});

it("an age has a unit that has a length", () => {
  expect(["12h", "30d", "8w", "0d"].map(ageMs)).toEqual(
    [43_200_000, 2_592_000_000, 4_838_400_000, 0].map((ms) => ({ ms })),
  );
  for (const wrong of ["30", "d", "1m", "-1d", "1.5d", " 1d", "1d ", ""]) expect(ageMs(wrong)).toHaveProperty("reason");
});
