import fc from "fast-check";
import { exitOf, outcome } from "../../src/protocol/outcome.ts";
import { checkState, type Result } from "../../src/protocol/result.ts";
import { taskState } from "../../src/protocol/task-state.ts";

const commit = "4".repeat(40);

/** A job that ended well, for tests that say what is different. */
export const plainResult: Result = {
  schema: "sheaf.result/v1",
  job: { id: "0190a0a0-0000-7000-8000-000000000000", handle: "lint-3", name: "lint" },
  outcome: "succeeded",
  exit_code: 0,
  base_commit: commit,
  result_commit: "5".repeat(40),
  result_tree: "6".repeat(40),
  tasks: [],
  checks: [],
  denials: [],
  usage: {
    input_tokens: 0,
    output_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    cost_usd: 0,
    cost_known: true,
  },
  trace_id: "a".repeat(32),
  started_at: "2026-01-02T03:04:05.678Z",
  ended_at: "2026-01-02T03:06:10.000Z",
  next: [{ command: "sheaf show lint-3", why: "who did what" }],
};

export function aTask(id: string, more: Partial<Result["tasks"][number]> = {}): Result["tasks"][number] {
  const none = { files_changed: 1, insertions: 2, deletions: 3, attempts: 1, reused: false };
  return { id, title: id, state: "succeeded", landed: true, ...none, ...more };
}

export function aCheck(name: string, more: Partial<Result["checks"][number]> = {}): Result["checks"][number] {
  return { name, at: "t", state: "passed", duration_ms: 1_234, new_failures: 0, base_failures: 0, ...more };
}

/** Text as somebody who means harm would write it. */
const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        "|",
        "`",
        "```",
        "~~~",
        "\n",
        "\r\n",
        "\n\n# h\n",
        "\\",
        "<b>",
        "</code>",
        "<script>alert(1)</script>",
        "<!--",
        "]]>",
        "&amp;",
        "&#10;",
        "@everyone",
        "#1",
        "![x](https://x.example/p.png)",
        "https://x.example",
        "www.x.example",
        "::set-output name=a::b",
        "##[error]",
        "EOF",
        "\u0000",
        "\u001b[2J",
        "\u202e",
        "\ud800",
        "$(id)",
        "a",
        " ",
      ),
    )
    .map((parts) => parts.join("")),
);
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const reason = fc
  .record({
    code: hostile,
    message: hostile,
    remedy: optional(hostile),
    log: optional(hostile),
    task: optional(hostile),
  })
  .map(withoutUndefined);
const taskId = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const leftover = fc.record({ path: hostile, line: fc.nat(9), column: fc.nat(9), text: hostile, reason: hostile });
const task = fc
  .record({
    id: taskId,
    state: fc.constantFrom(...taskState.options),
    landed: fc.boolean(),
    reason: optional(reason),
    summary: optional(hostile),
    leftovers: optional(fc.array(leftover, { maxLength: 3 })),
  })
  .map((more) => aTask(more.id, withoutUndefined(more)));
const check = fc
  .record({
    name: hostile,
    state: fc.constantFrom(...checkState.options),
    task: optional(taskId),
    detail: optional(hostile),
    tail: optional(hostile),
    failing: optional(fc.array(hostile, { maxLength: 3 })),
  })
  .map((more) => aCheck(more.name, withoutUndefined(more)));

/** Any result whose texts come from somebody who means harm. */
export const anyResult: fc.Arbitrary<Result> = fc
  .record({
    outcome: fc.constantFrom(...outcome.options),
    reason: optional(reason),
    name: hostile,
    branch: hostile,
    tasks: fc.array(task, { maxLength: 5 }),
    checks: fc.array(check, { maxLength: 3 }),
    denials: fc.array(fc.record({ task: taskId, tool: hostile, input: hostile, rule: hostile, reason: hostile }), {
      maxLength: 3,
    }),
    unsplit: fc.array(fc.record({ path: hostile, reason: hostile }), { maxLength: 3 }),
  })
  .map(({ name, branch, reason: why, ...more }) => ({
    ...plainResult,
    ...more,
    job: { ...plainResult.job, name, handle: name },
    exit_code: exitOf(more.outcome),
    ...(why === undefined ? {} : { reason: why }),
    published: { branch },
  }));

type Defined<Shape> = { [Key in keyof Shape]: Exclude<Shape[Key], undefined> };

function withoutUndefined<Shape extends object>(shape: Shape): Defined<Shape> {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Defined<Shape>;
}
