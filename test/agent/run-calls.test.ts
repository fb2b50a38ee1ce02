import fc from "fast-check";
import { expect, test } from "vitest";
import type { ModelAnswer } from "../../src/model/model.ts";
import type { FactData } from "../../src/protocol/event.ts";
import { objection } from "../transcript/conversation.ts";
import { asks, openTalk, says, type Talk } from "./talk.ts";

const submit = asks(["submit", { summary: "done" }]);

function finished({ facts }: Talk): FactData<"tool.finished">[] {
  return facts.flatMap((fact) => (fact.type === "tool.finished" ? [fact.data] : []));
}

function resultsIn({ requests }: Talk, request: number): string[] {
  const content = requests[request]?.messages.at(-1)?.content ?? [];
  return content.flatMap((block) => (block.type === "tool_result" ? [block.content] : []));
}

test("a read behind an edit of the same answer sees the edit, and one before it does not", async () => {
  using run = openTalk({
    files: { "src/a.ts": "old\n" },
    said: [
      asks(
        ["read", { file_path: "src/a.ts" }],
        ["write", { file_path: "src/a.ts", content: "new\n" }],
        ["read", { file_path: "src/a.ts" }],
        ["edit", { file_path: "src/a.ts", old_string: "new", new_string: "newest" }],
        ["read", { file_path: "src/a.ts" }],
      ),
      submit,
    ],
  });
  await run.turns();
  const [before, , between, , after] = resultsIn(run, 1);
  expect([before, between, after]).toEqual(["     1\told", "     1\tnew", "     1\tnewest"]);
});

test("reads that stand together run at the same time, effects one at a time and with nothing beside them", async () => {
  const kinds = fc.array(fc.constantFrom("read", "write"), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(kinds, async (wanted) => {
      const answer = asks(
        ...wanted.map((kind, index): [string, unknown] =>
          kind === "read"
            ? ["read", { file_path: `src/${index}.ts` }]
            : ["write", { file_path: `src/${index}.ts`, content: `${index}` }],
        ),
      );
      using run = openTalk({ said: [answer, submit] });
      const running = new Set<string>();
      const { files } = run.talk.toolContext;
      const { resolveAll } = files;
      let together = 0;
      files.resolveAll = async (paths, options) => {
        const [path = ""] = paths;
        const isWrite = wanted[Number(path.replace(/\D/g, ""))] === "write";
        if (isWrite && running.size > 0) throw new Error("an effect began beside something else");
        running.add(path);
        together = Math.max(together, running.size);
        await new Promise((resolve) => setImmediate(resolve));
        running.delete(path);
        return resolveAll(paths, options);
      };
      await run.turns();
      expect(finished(run).map(({ content }) => content.includes("beside"))).not.toContain(true);
      const longest = Math.max(
        0,
        ...wanted
          .join(" ")
          .split("write")
          .map((reads) => reads.match(/read/g)?.length ?? 0),
      );
      expect(together).toBe(Math.min(8, Math.max(1, longest)));
      expect(
        finished(run)
          .slice(0, wanted.length)
          .map(({ tool }) => tool),
      ).toEqual(wanted);
    }),
    { numRuns: 25 },
  );
});

test("what stands behind a submit in the same answer does not run, and is told", async () => {
  using run = openTalk({
    said: [
      asks(
        ["submit", { summary: "done" }],
        ["write", { file_path: "src/x.ts", content: "x" }],
        ["read", { file_path: "src/x.ts" }],
      ),
    ],
  });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(() => run.text("src/x.ts")).toThrow();
  expect(run.talk.submission).toEqual({ summary: "done" });
});

test("a submit whose input is wrong is none: what stands behind it runs, and the agent is asked again", async () => {
  using run = openTalk({
    said: [asks(["submit", { summery: "done" }], ["write", { file_path: "src/x.ts", content: "x" }]), submit],
  });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(run.text("src/x.ts")).toBe("x");
  expect(resultsIn(run, 1)[0]).toMatch(/^invalid input for submit/);
});

test("a tool that there is not, and one that was not offered, are results that name those there are", async () => {
  using run = openTalk({
    said: [asks(["teleport", {}], ["constructor", {}], ["delete", { file_path: "src/a.ts" }]), submit],
    tools: ["read", "submit"],
  });
  await run.turns();
  for (const result of resultsIn(run, 1)) expect(result).toMatch(/^Denied: .*the tools are read, submit/);
  expect(objection(run.requests[1]?.messages ?? [])).toBeUndefined();
});

test("a command's facts are the coordinator's: what was done before it is in the log first, its result only in the request", async () => {
  const log: number[] = [];
  const run = openTalk({
    said: [asks(["write", { file_path: "src/x.ts", content: "x" }], ["bash", { command: "npm test" }]), submit],
    async command() {
      log.push(run.facts.length);
      return { content: "all green", isError: false };
    },
  });
  using _ = run;
  await run.turns();
  expect(log).toEqual([3]);
  expect(resultsIn(run, 1)[1]).toBe("all green");
  expect(finished(run).map(({ tool }) => tool)).toEqual(["write"]);
});

test("an agent that goes round in circles is told from the third time on, and its run ends with the sixth", async () => {
  let count = 0;
  const again = (): ModelAnswer => ({ ...asks(["read", { file_path: "src/a.ts" }]), usage: submit.usage });
  using run = openTalk({
    files: { "src/a.ts": "a\n" },
    said: async () => (++count % 2 === 0 ? asks(["list", { path: `f${count}` }]) : again()),
  });
  expect(await run.turns()).toMatchObject({ kind: "ended", failure: { code: "loop" } });
  expect(count).toBe(11);
  const told = run.facts.flatMap((fact) => (fact.type === "run.notified" ? [fact.data.text.slice(0, 58)] : []));
  expect(told).toEqual(
    [3, 4, 5].map((times) => `You have called read ${times} times with the same input, and the res`.slice(0, 58)),
  );
});

test("the same read after an edit is no circle", async () => {
  let count = 0;
  using run = openTalk({
    files: { "src/a.ts": "a\n" },
    async said() {
      if (++count > 20) return says("done");
      return count % 2 === 1
        ? asks(["read", { file_path: "src/a.ts" }])
        : asks(["write", { file_path: "src/b.ts", content: `${count}` }]);
    },
  });
  expect(await run.turns()).toEqual({ kind: "done" });
});

test("the same edit made again and again is one", async () => {
  using run = openTalk({ said: async () => asks(["write", { file_path: "src/b.ts", content: "b" }]) });
  expect(await run.turns()).toMatchObject({ kind: "ended", failure: { code: "loop" } });
  expect(run.text("src/b.ts")).toBe("b");
});

test("an agent whose commands change files goes on, however often a test between them fails the same way", async () => {
  const rounds = Array.from({ length: 7 }, (_, round) => [
    asks(["bash", { command: `echo ${round} >> src/a` }]),
    asks(["bash", { command: "npm test" }]),
  ]);
  let count = 0;
  using run = openTalk({
    said: [...rounds.flat(), submit],
    command: async () => ({ content: "exit 1", isError: true, hasChanged: count++ % 2 === 0 }),
  });
  expect(await run.turns()).toEqual({ kind: "done" });
  expect(run.facts.filter(({ type }) => type === "run.notified")).toEqual([]);
  using still = openTalk({
    said: [asks(["bash", { command: "npm test" }])],
    command: async () => ({ content: "exit 1", isError: true }),
  });
  expect(await still.turns()).toMatchObject({ kind: "ended", failure: { code: "loop" } });
});
