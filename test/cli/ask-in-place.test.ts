import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { askInPlace, showInPlace } from "../../src/cli/ask-in-place.ts";
import { keyboardOf } from "../../src/cli/keyboard.ts";
import type { ApprovalAnswer } from "../../src/protocol/approval.ts";
import type { FactData } from "../../src/protocol/event.ts";

type Requested = FactData<"approval.requested">;

function question(digit: string, more: Partial<Requested> = {}): Requested {
  return {
    approval_id: digit.repeat(8),
    call_id: "c1",
    tool: "bash",
    input: "npm install",
    input_sha256: "0".repeat(64),
    rule: "no rule",
    source: "task",
    reason: "no Bash rule of the task covers it",
    suggestion: "Bash(npm install)",
    expires_at: "2026-01-01T00:00:00.000Z",
    ...more,
  };
}

/** Somebody at a keyboard, and a clock that moves when told. */
function openPlace() {
  const keys = new PassThrough();
  const said: string[] = [];
  const answers: { id: string; answer: ApprovalAnswer }[] = [];
  const state = { prompt: undefined as string | undefined, now: 0 };
  const asking = askInPlace({
    keyboard: keyboardOf(() => keys),
    progress: {
      say: (line) => void said.push(line),
      prompt: (text) => {
        state.prompt = text;
      },
    },
    coordinator: {
      async decideApproval(id, answer) {
        answers.push({ id, answer });
        if (id.startsWith("f")) throw new Error("the server is away");
        return { kind: "decided", approval: {} as never };
      },
    },
    now: () => state.now,
  });
  const ask = (asked: Requested) => {
    asking.take({ type: "approval.requested", data: asked });
    state.now += 1_000;
  };
  const resolve = (id: string) =>
    asking.take({
      type: "approval.resolved",
      data: { approval_id: id, call_id: "c1", state: "allowed", remember: false },
    });
  const type = async (text: string) => {
    keys.write(text);
    await new Promise(setImmediate);
  };
  return { asking, ask, resolve, type, said, answers, state, keys };
}

it("asks one at a time, and takes y, a, n and d with a note", async () => {
  const { ask, resolve, type, answers, state, said } = openPlace();
  for (const digit of ["1", "2", "3", "4"]) ask(question(digit));
  expect(said.filter((line) => line.includes("npm install"))).toHaveLength(2);
  for (const [digit, words] of [
    ["1", "y\n"],
    ["2", "A\n"],
    ["3", "n\n"],
    ["4", "d\nuse npm ci\n"],
  ] as const) {
    expect(state.prompt).toContain(digit.repeat(8));
    await type(words);
    resolve(digit.repeat(8));
    state.now += 1_000;
  }
  expect(answers.map(({ answer }) => answer)).toEqual([
    { decision: "allow" },
    { decision: "allow", remember: true },
    { decision: "deny" },
    { decision: "deny", note: "use npm ci" },
  ]);
  expect(state.prompt).toBeUndefined();
});

it("takes nothing as an answer that was typed before the question could be read, or that is no answer", async () => {
  const { ask, type, answers, state } = openPlace();
  ask(question("1"));
  state.now -= 900;
  await type("y\n");
  state.now += 900;
  await type("\nyy\nallow everything\n");
  expect(answers).toEqual([]);
  await type("y\ny\ny\n");
  expect(answers).toHaveLength(1);
});

it("lets a question go that was answered elsewhere, and asks the next", async () => {
  const { ask, resolve, type, answers, state } = openPlace();
  ask(question("1"));
  ask(question("2"));
  ask(question("3"));
  resolve("22222222");
  resolve("11111111");
  state.now += 1_000;
  expect(state.prompt).toContain("33333333");
  await type("y\n");
  expect(answers.map(({ id }) => id)).toEqual(["33333333"]);
});

it("shows an input in full, with whatever hides or acts on a terminal as a mark", () => {
  const { ask, said } = openPlace();
  ask(
    question("1", {
      input: "ls\u001b[2K\u001b[1A\u202e\u200b \u00a0\u3164\nrm -rf build\r# fine",
      suggestion: undefined,
    }),
  );
  const shown = said.join("\n");
  expect(shown).toContain("    ls\\x1b[2K\\x1b[1A\\x202e\\x200b \\xa0\\x3164\n    rm -rf build\\x0d# fine");
  expect(shown).toContain("this very bash call and no other");
  expect(shown).not.toMatch(/[^\n\x20-\x7e]/);
});

it("shows a question to whoever cannot answer it, with what to do", () => {
  const said: string[] = [];
  showInPlace({ say: (line) => void said.push(line) }).take({ type: "approval.requested", data: question("1") });
  expect(said.join("\n")).toContain("npm install");
  expect(said.at(-1)).toContain("scope approve: sheaf approve 11111111");
});

it("says how to answer from elsewhere when nobody can type any more, or an answer cannot be given", async () => {
  const { ask, type, keys, said, state } = openPlace();
  ask(question("f"));
  await type("y\n");
  expect(said.at(-2)).toContain("could not be answered: the server is away");
  expect(said.at(-1)).toContain("sheaf approve ffffffff");
  ask(question("1"));
  keys.end();
  await new Promise(setImmediate);
  expect(said.at(-1)).toContain("sheaf approve 11111111");
  expect(state.prompt).toBeUndefined();
  ask(question("2"));
  expect(state.prompt).toBeUndefined();
});
