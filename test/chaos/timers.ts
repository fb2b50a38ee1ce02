import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { startPostgres } from "../support/postgres.ts";
import { diceOf } from "./dice.ts";
import type { Scenario, Setting, Trial } from "./scenario.ts";

/** Wakes for later, while the process that is to take them is killed and started again: each one wakes once, none early. */
export const timers: Scenario = {
  name: "timers",
  about: "a thousand wakes for later, and their process is killed and started again",
  databases: ["embedded", "postgres"],
  trials: 5,
  async open(setting) {
    await using stack = new AsyncDisposableStack();
    const root = mkdtempSync(join(tmpdir(), "sheaf-timers-"));
    stack.defer(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
    const server = setting.database === "postgres" ? stack.use(await startPostgres()) : undefined;
    const owned = stack.move();
    return {
      undisturbed: `${setting.tasks * 10} wakes`,
      async run(number) {
        const url = await server?.createDatabase();
        return runTrial(
          [join(root, String(number)), String(setting.tasks * 10), ...(url ? [url] : [])],
          setting,
          number,
        );
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};

const script = join(import.meta.dirname, "timers-process.ts");
/** As the process says it at its end. */
const writtenDown = z.object({ due: z.number(), woken: z.number(), runs: z.number(), early: z.number() });

async function runTrial(words: readonly string[], { seed }: Setting, number: number): Promise<Trial> {
  const dice = diceOf("timers", seed, number);
  const kills = Array.from({ length: dice.whole(1, 3) }, () => dice.whole(0, 2_500));
  for (const ms of kills) await startAndKill(words, ms);
  const last = start(words);
  const [said, complaints, [code]] = await Promise.all([text(last.stdout), text(last.stderr), once(last, "close")]);
  const told = [`killed ${kills.join(", ")} ms after it was ready`];
  const end = said.trim().split("\n").at(-1) ?? "";
  if (code !== 0 || !end.startsWith("{")) return { told, findings: [`it ended with ${code}: ${complaints}`] };
  const { due, woken, runs, early } = writtenDown.parse(JSON.parse(end));
  const findings = [
    ...(runs === due ? [] : [`${due - runs} of ${due} never woke`]),
    ...(woken === runs ? [] : [`${woken - runs} woke twice`]),
    ...(early === 0 ? [] : [`${early} woke early`]),
  ];
  return { told, findings };
}

async function startAndKill(words: readonly string[], afterMs: number): Promise<void> {
  const child = start(words);
  const ended = once(child, "close");
  await Promise.race([once(child.stdout, "data"), ended]);
  await Promise.race([wait(afterMs), ended]);
  child.kill("SIGKILL");
  await ended;
}

function start(words: readonly string[]) {
  return spawn(process.execPath, [script, ...words], { stdio: ["ignore", "pipe", "pipe"] });
}
