import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { result as resultSchema } from "../../src/protocol/result.ts";
import { writeCiFiles } from "../../src/report/ci-files.ts";
import { resultOfFailure } from "../../src/report/failed-run.ts";
import { openReportFolder, type ReportOptions, writeReports } from "../../src/report/write-reports.ts";
import { anyResult, aTask, plainResult } from "./results.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sheaf-report-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const own = { hostname: "host", random: randomBytes };
const folder = () => join(home, "out", "report");
const options = (more: Partial<ReportOptions> = {}): ReportOptions => ({ ...own, folder: folder(), ci: {}, ...more });
const read = (...path: string[]) => readFileSync(join(...path), "utf8");
const names = () => readdirSync(folder(), { recursive: true, encoding: "utf8" }).sort();

describe("the folder of reports", () => {
  it("holds the result, the test report, the page, GitLab's variables and the patches that did not land", async () => {
    const patch = join(home, "part-2.patch");
    writeFileSync(patch, "diff --git a/x b/x\n");
    const tasks = [aTask("part-1"), aTask("part-2", { state: "failed", landed: false, patch_file: patch })];
    await openReportFolder(folder());
    expect(await writeReports({ ...plainResult, tasks }, options())).toEqual([]);
    const patches = ["patches", "patches/part-2.patch"];
    expect(names()).toEqual(["junit.xml", ...patches, "result.json", "sheaf.env", "summary.md"]);
    expect(JSON.parse(read(folder(), "result.json"))).toEqual({ ...plainResult, tasks });
    expect(read(folder(), "patches/part-2.patch")).toBe("diff --git a/x b/x\n");
    expect(read(folder(), "sheaf.env")).toContain(`SHEAF_OUTCOME=succeeded\nSHEAF_EXIT_CODE=0\nSHEAF_JOB=lint-3\n`);
  });

  it("is cleared of an earlier job's reports before the next one starts, and of nothing else", async () => {
    await openReportFolder(folder());
    writeFileSync(join(folder(), "summary.md"), "mine");
    await openReportFolder(folder());
    expect(names()).toEqual(["summary.md"]);
    const tasks = [aTask("old", { patch_file: join(home, "p") })];
    writeFileSync(join(home, "p"), "diff");
    await writeReports({ ...plainResult, tasks }, options());
    writeFileSync(join(folder(), "notes.txt"), "mine");
    await openReportFolder(folder());
    expect(names()).toEqual(["notes.txt"]);
  });

  it("that cannot be made is refused before anything is spent", async () => {
    writeFileSync(join(home, "file"), "");
    await expect(openReportFolder(join(home, "file"))).rejects.toMatchObject({ code: "usage" });
    await expect(openReportFolder(join(home, "file", "below"))).rejects.toMatchObject({
      code: "usage",
      message: `reports cannot be written to ${join(home, "file", "below")}`,
    });
  });

  it("has every report that can be written, and says which could not", async () => {
    await openReportFolder(folder());
    mkdirSync(join(folder(), "junit.xml"));
    const tasks = [
      aTask("gone", { patch_file: join(home, "nowhere") }),
      aTask("part-2", { patch_file: join(home, "p") }),
    ];
    writeFileSync(join(home, "p"), "diff");
    const failures = await writeReports(
      { ...plainResult, tasks },
      options({ ci: { stepOutput: join(home, "no", "file") } }),
    );
    expect(failures.map(({ message }) => message.split(":")[0])).toEqual([
      `could not write ${join(folder(), "patches", "gone.patch")}`,
      `could not write ${join(folder(), "junit.xml")}`,
      "could not write the step's outputs",
    ]);
    expect(names()).toEqual(["junit.xml", "patches", "patches/part-2.patch", "result.json", "sheaf.env", "summary.md"]);
  });

  it("tells of a run that never became a job by the same document", async () => {
    const failure = { code: "job_file", message: "sheaf.yaml:1:1: unknown key", remedy: "see docs/job-file.md" };
    const result = resultOfFailure(failure, { name: "sheaf", startedAt: 0, endedAt: 1_000 });
    expect(resultSchema.parse(result)).toEqual(result);
    expect(result).toMatchObject({ outcome: "error", exit_code: 65, reason: failure });
    await openReportFolder(folder());
    expect(await writeReports(result, options())).toEqual([]);
    expect(read(folder(), "summary.md")).toContain("❌ Sheaf: error (exit 65)");
    expect(read(folder(), "junit.xml")).toContain(
      '<error type="job_file" message="error: sheaf.yaml:1:1: unknown key">',
    );
  });
});

describe("the files of a CI system", () => {
  it("get the page and the outputs after what is there, on lines of their own", async () => {
    const ci = {
      stepSummary: join(home, "summary"),
      stepOutput: join(home, "output"),
      dotenv: join(home, "d", "e.env"),
    };
    writeFileSync(ci.stepSummary, "# before");
    writeFileSync(ci.stepOutput, "before=1");
    expect(await writeReports(plainResult, options({ folder: undefined, ci }))).toEqual([]);
    expect(read(ci.stepSummary)).toMatch(/^# before\n## ✅ Sheaf: succeeded \(exit 0\)\n/);
    expect(outputsOf(read(ci.stepOutput))).toMatchObject({
      before: "1",
      outcome: "succeeded",
      exit_code: "0",
      job: "lint-3",
    });
    expect(read(ci.dotenv)).toContain("SHEAF_OUTCOME=succeeded\n");
  });

  it("give a page no more than its room, counting what is there", async () => {
    const stepSummary = join(home, "summary");
    writeFileSync(stepSummary, `${"x".repeat(899_000)}\n`);
    const tasks = Array.from({ length: 100 }, (_, index) => aTask(`part-${index}`));
    await writeCiFiles({ ...plainResult, tasks }, { ...own, ci: { stepSummary } });
    expect(read(stepSummary).length).toBeLessThanOrEqual(900_000);
    expect(read(stepSummary)).toContain("Cut here");
    writeFileSync(stepSummary, "x".repeat(900_000));
    await writeCiFiles(plainResult, { ...own, ci: { stepSummary } });
    expect(read(stepSummary)).toBe("x".repeat(900_000));
  });

  it("take any text as a value and none as another output or variable", async () => {
    const ci = { stepOutput: join(home, "output"), dotenv: join(home, "e.env") };
    await fc.assert(
      fc.asyncProperty(anyResult, async (result) => {
        rmSync(ci.stepOutput, { force: true });
        expect(await writeCiFiles(result, { ...own, ci })).toEqual([]);
        const outputs = outputsOf(read(ci.stepOutput));
        const expected = [
          "outcome",
          "exit_code",
          "reason",
          "job",
          "job_id",
          "base_commit",
          "result_commit",
          "branch",
          "patch",
        ];
        expect(Object.keys(outputs)).toEqual(expected);
        expect(outputs.reason).toBe((result.reason?.message ?? "").replaceAll("\0", "").toWellFormed());
        for (const line of read(ci.dotenv).trimEnd().split("\n")) expect(line).toMatch(/^SHEAF_[A-Z_]+=[^\r\n\0]+$/);
      }),
      { numRuns: 60 },
    );
  });
});

/** Reads a file of outputs as GitHub's runner does. */
function outputsOf(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const [, name, delimiter] = /^([^=<]+)<<(.+)$/.exec(line) ?? [];
    if (name === undefined) {
      if (line !== "") outputs[line.slice(0, line.indexOf("="))] = line.slice(line.indexOf("=") + 1);
      continue;
    }
    const end = lines.indexOf(delimiter ?? "", index + 1);
    outputs[name] = lines.slice(index + 1, end).join("\n");
    index = end;
  }
  return outputs;
}
