import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { approvalView } from "../../src/protocol/approval.ts";
import { plantRepository } from "../support/equipment.ts";
import { openSheaf, patience } from "../support/sheaf.ts";

const job = {
  version: 1,
  name: "ask",
  agents: { clerk: { model: "scripted/clerk.yaml", prompt: "You write." } },
  tasks: [{ id: "notes", writes: ["notes"], steps: [{ prompt: "go", agent: "clerk" }] }],
};
const turns = ["other/a.txt", "other/b.txt"].map((file_path) => ({
  calls: [{ tool: "write", input: { file_path, content: "asked\n" } }],
}));

function plant(sheaf: ReturnType<typeof openSheaf>): string {
  const repository = join(sheaf.folder, "repository");
  plantRepository(repository, { "a.txt": "a\n" });
  sheaf.write("job.yaml", JSON.stringify(job));
  sheaf.write("clerk.yaml", JSON.stringify(turns));
  return repository;
}

it(
  "a question is answered from another command, also one whose process was killed, and the job goes on with the answer",
  async () => {
    await using sheaf = openSheaf({ inProcess: true });
    const repository = plant(sheaf);
    const running = sheaf.start(["run", "job.yaml", "--repo", repository, "--permission-mode", "ask"]);
    await running.shows(/ASK .*other\/a\.txt/);
    const status = await sheaf.call(["status", "last"]);
    const [, first = ""] = /sheaf approve ([0-9a-f]{8}) {3}or/.exec(status.stdout) ?? [];
    expect(await sheaf.call(["approve", first], { asProcess: true })).toMatchObject({ code: 0 });
    await running.shows(/ASK .*other\/b\.txt/);
    const [, second = ""] = /ASK +([0-9a-f]{8}) .*other\/b\.txt/.exec(running.stderr) ?? [];
    running.child.kill("SIGKILL");
    await running.ended;

    const all = await sheaf.call(["approvals", "last", "--all", "--output-format", "json"]);
    const approvals = z.array(approvalView).parse(JSON.parse(all.stdout));
    expect(approvals.map(({ id, state, decided_by }) => [id.slice(0, 8), state, decided_by])).toEqual([
      [second, "pending", undefined],
      [first, "allowed", "operator"],
    ]);
    expect(await sheaf.call(["approve", second])).toMatchObject({ code: 0 });
  },
  patience,
);

it(
  "nobody is asked where nobody sits: what no rule allows is denied at once, with the rule to add",
  async () => {
    await using sheaf = openSheaf({ inProcess: true });
    const repository = plant(sheaf);
    const { result } = await sheaf.job(["job.yaml", "--repo", repository]);
    expect(result).toMatchObject({ outcome: "blocked", exit_code: 13 });
    expect(result.denials[0]).toMatchObject({ tool: "write", input: "other/a.txt", rule: "no rule" });
    expect(result.denials[0]?.reason).toContain("Edit(/other/a.txt) in permissions.allow would allow it");
  },
  patience,
);
