import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { CommandOutcome, Sandbox, TalkPipes } from "../../src/sandbox/driver.ts";
import { inTurn } from "../../src/sandbox/in-turn.ts";
import { openTestBench } from "../support/equipment.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-talk-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Talked {
  pipes: TalkPipes;
  over: Promise<CommandOutcome>;
}

async function begin(sandbox: Sandbox, run: string, signal = new AbortController().signal): Promise<Talked> {
  await sandbox.handOver(folder);
  const begun = Promise.withResolvers<TalkPipes>();
  const over = sandbox.run({ run, cwd: folder, timeoutMs: 60_000, signal, talk: begun.resolve });
  over.catch(() => {});
  return { pipes: await begun.promise, over };
}

async function driverOf(mode: "bubblewrap" | "external") {
  const bench = await openTestBench({ sandbox: mode });
  const sandbox = await bench.equipment.sandbox();
  if ("unavailable" in sandbox) throw new Error(sandbox.unavailable);
  return { sandbox, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

it.for(["bubblewrap", "external"] as const)("a command is spoken with while it runs in %s", async (mode) => {
  await using bench = await driverOf(mode);
  const { pipes, over } = await begin(bench.sandbox, 'echo told >&2; while read -r line; do echo "got $line"; done');
  for (const word of ["one", "two"]) {
    pipes.stdin.write(`${word}\n`);
    const [said] = await once(pipes.stdout, "data");
    expect(String(said)).toBe(`got ${word}\n`);
  }
  pipes.stdin.end();
  const ended = await over;
  expect(ended).toMatchObject({ exit: 0, isTimedOut: false });
  // What it printed to whoever spoke with it is not kept, its errors are.
  expect(ended.output.toString()).toBe("told\n");
});

it("one that is ended leaves nothing, whoever listens to it, and takes no turn of other commands", async () => {
  await using bench = await driverOf("bubblewrap");
  const sandbox = inTurn(bench.sandbox, 1);
  if ("unavailable" in sandbox) throw new Error(sandbox.unavailable);
  const stop = new AbortController();
  const { pipes, over } = await begin(sandbox, "trap '' TERM; sleep 1000 & yes; wait", stop.signal);
  await once(pipes.stdout, "readable");
  const other = { run: "echo here", cwd: folder, timeoutMs: 10_000, signal: new AbortController().signal };
  expect((await sandbox.run(other)).output.toString()).toBe("here\n");
  stop.abort(new Error("enough"));
  await expect(over).rejects.toThrow("enough");
  expect(pipes.stdout.destroyed).toBe(true);
});
