import { expect, test } from "vitest";
import { readJobRequest } from "../../src/job/read-job-file.ts";
import { resolveOrder } from "../../src/job/resolve-job.ts";

const reach = {
  network: ["registry", "API.Example.com.", "api.example.com", "b.example:8443"],
  secrets: ["A", "B", "A"],
};
const resolved = { network: ["registry", "api.example.com", "b.example:8443"], secrets: ["A", "B"] };

test("what a setup, each kind of step and a check name is theirs, each host once in one spelling", async () => {
  const script = "turns:\n- say: done\n";
  const order = await resolveOrder(
    readJobRequest({
      job: {
        version: 1,
        model: "scripted/x.yaml",
        setup: { run: "true", ...reach },
        each: [{ run: "true", ...reach }, { prompt: "Do it.", ...reach }, { run: "true" }],
        checks: [{ run: "true", ...reach }, "false"],
      },
      files: { "x.yaml": script.replace("turns:\n", "") },
    }),
    {},
  );
  expect(order.setup).toMatchObject(resolved);
  expect(order.each.slice(0, 2)).toMatchObject([resolved, resolved]);
  expect(order.each[2]).not.toHaveProperty("network");
  expect(order.checks[0]).toMatchObject(resolved);
  expect(order.checks[1]).not.toHaveProperty("secrets");
});
