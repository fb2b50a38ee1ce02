import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decideCommand } from "../../src/permission/decide-command.ts";
import { bashScope } from "../support/bash-scope.ts";
import { type Field, openField } from "./real-bash.ts";
import { nested, renamed, written } from "./tricks.ts";

/** Rules about programs that can run others, as an operator might write them in haste; not all would even load. */
const generous =
  `git status|git|rg|npm test|find|sed|sort|cat|echo|ls|awk|tar|make|node|perl|split|true|false|printf|test|[
  |cd|head|tail|xargs|env|timeout|nice|nohup|stdbuf|setsid|sh|bash|eval|command|exec|source|read|set|export|declare|trap
  |mapfile|compgen|builtin|hash|alias|shopt|let|unset|coproc|sleep|wait|base64|x|f|time`
    .replaceAll(/\s/g, "")
    .split("|")
    .map((words) => `Bash(${words === "gitstatus" ? "git status" : words === "npmtest" ? "npm test" : words}:*)`);

let field: Field;
beforeAll(() => {
  field = openField();
});
afterAll(() => field.close());

describe("a planted command, with a real bash as the judge", () => {
  it("is run by every trick that is written down, and by most that are nested", () => {
    const all = [...written, ...renamed];
    const plants = field.plants(all);
    expect(all.filter((_, index) => !plants[index])).toEqual([]);
    const sample = nested.filter((_, index) => index % 12 === 0);
    const working = field.plants(sample).filter(Boolean).length;
    expect(working).toBeGreaterThan(sample.length / 2);
  }, 60_000);

  it("is never admitted by rules that do not name it, however generous they are", () => {
    const scope = bashScope({ allow: generous });
    const admitted = [...written, ...renamed, ...nested].filter(
      (trick) => decideCommand(scope, trick).effect === "allow",
    );
    expect(admitted).toEqual([]);
  });

  it("is denied by a rule that names it where everything else is allowed", () => {
    const scope = bashScope({ allow: ["Bash"], deny: ["Bash(planted:*)"] });
    const passed = [...written, ...nested].filter((trick) => decideCommand(scope, trick).effect !== "deny");
    expect(passed).toEqual([]);
  });

  it("is asked about by a rule that asks, wherever it stands", () => {
    const scope = bashScope({ allow: ["Bash"], ask: ["Bash(planted:*)"] });
    const passed = [...written, ...nested].filter((trick) => decideCommand(scope, trick).effect !== "ask");
    expect(passed).toEqual([]);
  });
});
