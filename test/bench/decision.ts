import { parse } from "unbash";
import { decideCommand } from "../../src/permission/decide-command.ts";
import { bashScope } from "../support/bash-scope.ts";
import type { Figure } from "./figure.ts";
import { median, medianOfRatios, short, takePairs } from "./pairs.ts";

/** What an agent asks for on an ordinary day. */
const ordinary = [
  "npm test",
  "npm test 2>&1 | tail -30",
  "git diff --stat HEAD~1",
  'rg -n "foo|bar" src',
  "NODE_ENV=test timeout 60 npm test -- --run src/a.test.ts",
  "sed -n '1,40p' src/a.ts",
];
const calls = 2_000;

export const decision: Figure = {
  name: "decision",
  title: "a decision about an ordinary command, its parse included / the bare parse, medians of single calls",
  async measure({ isQuick }) {
    const scope = bashScope({
      allow: ["npm test", "npm run", "git diff", "git log", "rg", "sed", "tail", "ls"].map(
        (words) => `Bash(${words}:*)`,
      ),
      ask: ["Bash(npm install:*)"],
      deny: ["Bash(git push:*)", "Bash(rm:*)"],
    });
    const decide = (command: string) => {
      if (decideCommand(scope, command).effect !== "allow") throw new Error(`${command} was not allowed`);
    };
    const pairs = await takePairs(isQuick ? 1 : 9, {
      subject: async () => medianOf(decide),
      baseline: async () => medianOf((command) => void parse(command)),
    });
    const { value, statistic } = medianOfRatios(pairs);
    const microseconds = median(pairs.subject);
    const absolute = `${short(microseconds)} us / ${short(median(pairs.baseline))} us`;
    return [
      { what: "decision / bare parse", unit: "x", value, statistic, absolute },
      {
        what: "a decision",
        unit: "ms",
        value: microseconds / 1_000,
        statistic: `p50, median of ${pairs.subject.length}`,
        goal: { is: "<=", limit: 0.05 },
        absolute,
      },
    ];
  },
};

/** Microseconds of one call, the median of many. */
function medianOf(call: (command: string) => void): number {
  const took: number[] = [];
  for (let turn = 0; turn < calls; turn++) {
    const command = ordinary[turn % ordinary.length] ?? "";
    const begun = performance.now();
    call(command);
    took.push((performance.now() - begun) * 1_000);
  }
  return median(took);
}
