import { expect, it } from "vitest";
import { Fault } from "../../src/protocol/failure.ts";
import type { JobSpec } from "../../src/protocol/job.ts";
import { type LockedPart, part } from "../../src/protocol/part.ts";
import { partsToLock } from "../../src/split/locked-parts.ts";
import { planSplit } from "../../src/split/plan-split.ts";
import { jobOf, promptStep, viewOf } from "./view.ts";

const view = viewOf(["a.ts", "b.ts", "c.ts"]);
const spec = jobOf({ by: "files", files: 1 });
const parts = partsToLock(planSplit(spec, view).tasks, spec);

function refusal(edit: (parts: LockedPart[]) => unknown, more: Partial<JobSpec> = {}): string {
  const edited = structuredClone(parts);
  edit(edited);
  try {
    planSplit({ ...spec, ...more, parts: edited.map((one) => part.parse(one)) }, view);
  } catch (thrown) {
    if (thrown instanceof Fault) return `${thrown.message}; ${thrown.remedy}`;
    throw thrown;
  }
  throw new Error("it was taken");
}
const of = (all: LockedPart[], at: number): LockedPart => all[at] ?? expect.unreachable();

it("the parts of a lock are taken as they were made", () => {
  const again = planSplit({ ...spec, parts }, view);
  expect(again.tasks).toEqual(planSplit(spec, view).tasks);
  const around = { ...spec, before: [promptStep()], after: [promptStep()] };
  const made = planSplit(around, view).tasks;
  expect(planSplit({ ...around, parts: partsToLock(made, around) }, view).tasks).toEqual(made);
});

it("parts that somebody edited into what no split makes are refused with place and remedy", () => {
  const ids = parts.map(({ id }) => id);
  const [first = expect.unreachable(), second = expect.unreachable()] = ids;
  const circle = refusal((all) => {
    of(all, 0).needs = [second];
    of(all, 1).needs = [first];
  });
  expect(circle).toContain("- parts: these need each other in a circle");
  expect(circle).toContain("plan again: sheaf plan -o FILE");
  expect(refusal((all) => of(all, 0).needs.push(first))).toContain("- parts[0].needs[0]: the task needs itself");
  expect(refusal((all) => of(all, 0).needs.push("nobody" as typeof first))).toContain(
    "- parts[0].needs[0]: there is no",
  );
  expect(refusal((all) => of(all, 0).needs.push(second))).toContain("- parts[0].needs: ");
  expect(refusal((all) => Object.assign(of(all, 1), { id: first }))).toContain("is the id of parts[0] too");
  expect(refusal((all) => Object.assign(of(all, 1), { id: "plan" }))).toContain('- parts[1].id: "plan" is taken');
  expect(refusal((all) => of(all, 0).files.push("../../etc/passwd"))).toContain("- parts[0].files[1]: ");
  expect(refusal((all) => of(all, 0).files.push("gone.ts"))).toContain('"gone.ts" is no file that may be given');
  for (const pattern of [
    { files: ["../x"] },
    { files: ["/etc/passwd"] },
    { directories: ["../up"] },
    { glob: "../**" },
  ]) {
    expect(refusal((all) => of(all, 0).writes.push(pattern))).toContain("- parts[0].writes[1]: ");
  }
});
