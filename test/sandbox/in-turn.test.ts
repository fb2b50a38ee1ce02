import { expect, it } from "vitest";
import type { CommandOutcome, Sandbox } from "../../src/sandbox/driver.ts";
import { inTurn } from "../../src/sandbox/in-turn.ts";

const outcome: CommandOutcome = {
  exit: 0,
  signal: null,
  isTimedOut: false,
  durationMs: 1,
  output: Buffer.alloc(0),
  outputBytes: 0,
};

it("runs so many commands at a time, and one that is given up has never begun", async () => {
  const gate = Promise.withResolvers<CommandOutcome>();
  const begun: string[] = [];
  const driver: Sandbox = {
    mode: "external",
    run: ({ cwd }) => {
      begun.push(cwd);
      return gate.promise;
    },
    placeOf: (cwd) => cwd,
    handOver: async () => {},
  };
  const sandbox = inTurn(driver, 2);
  if ("unavailable" in sandbox) throw new Error("there is a driver");
  const stop = new AbortController();
  const command = (cwd: string, signal = new AbortController().signal) =>
    sandbox.run({ cwd, run: ["true"], timeoutMs: 1_000, signal });
  const all = [command("a"), command("b"), command("c")];
  const givenUp = command("d", stop.signal);
  expect(begun).toEqual(["a", "b"]);
  stop.abort(new Error("its run is over"));
  await expect(givenUp).rejects.toThrow("its run is over");
  gate.resolve(outcome);
  await Promise.all(all);
  expect(begun).toEqual(["a", "b", "c"]);
  expect(inTurn({ unavailable: "none", remedy: "" }, 2)).toEqual({ unavailable: "none", remedy: "" });
});
