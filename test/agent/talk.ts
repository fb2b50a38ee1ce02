import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Conversation } from "../../src/agent/conversation.ts";
import type { Acknowledged, Line } from "../../src/agent/line.ts";
import { openConversation } from "../../src/agent/open-conversation.ts";
import { type TurnEnd, takeTurn } from "../../src/agent/turn.ts";
import { openFiles } from "../../src/files/files.ts";
import { estimateTokens } from "../../src/model/estimate.ts";
import type { Hearing, Model, ModelAnswer, ModelRequest, StopReason } from "../../src/model/model.ts";
import { parseRule } from "../../src/permission/rule.ts";
import { taskScope } from "../../src/permission/task-scope.ts";
import type { ThreadFact } from "../../src/protocol/event.ts";
import type { AnswerBlock, Usage } from "../../src/protocol/message.ts";
import type { ModelCard } from "../../src/protocol/model-card.ts";
import type { Decision } from "../../src/protocol/scope.ts";
import type { SpanEnd, SpanMessage } from "../../src/protocol/span.ts";
import { runOrder } from "../../src/protocol/thread.ts";
import { createTracer } from "../../src/telemetry/thread-tracer.ts";
import { toolNamed, toolNames } from "../../src/tools/catalog.ts";
import { emptyBase } from "../files/folder-base.ts";

/** One run of an agent over a real folder, its model and its coordinator told by the test what to say. */
export interface Talk extends Disposable {
  root: string;
  talk: Conversation;
  /** What the model was asked, in order, as it stood then. */
  requests: ModelRequest[];
  /** Each append, in order: its facts. */
  appends: ThreadFact[][];
  /** Of all appends. */
  facts: ThreadFact[];
  signs: unknown[];
  spans: SpanEnd[];
  turns(most?: number): Promise<TurnEnd>;
  text(path: string): string;
}

/** One attempt: an answer, or what is thrown instead. */
export type Said = ModelAnswer | Error;

export interface TalkOptions {
  files?: Record<string, string>;
  /** The n-th attempt gets the n-th; the last one stays. */
  said?: readonly Said[] | ((request: ModelRequest, attempt: number, hearing: Hearing) => Promise<Said>);
  /** Instead of one that the test speaks for. */
  model?: Model;
  card?: Partial<ModelCard> | null;
  estimate?: (request: ModelRequest) => number;
  brief?: string;
  leftovers?: unknown[];
  maxTurns?: number;
  maxTokens?: number;
  provider?: "messages" | "scripted";
  tools?: readonly string[];
  /** What the coordinator says to an append; the rest is acknowledged without a word. */
  acknowledge?: (facts: readonly ThreadFact[], count: number) => Partial<Acknowledged> | undefined;
  command?: Line["command"];
}

export function openTalk(options: TalkOptions): Talk {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-agent-")));
  const [root, scratch] = [join(home, "root"), join(home, "scratch")];
  for (const folder of [root, scratch]) mkdirSync(folder);
  for (const [path, content] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const appends: ThreadFact[][] = [];
  const signs: unknown[] = [];
  const messages: SpanMessage[] = [];
  const requests: ModelRequest[] = [];
  const line = lineOf(options, { appends, signs });
  let seed = 0;
  const clock = { now: () => 1, random: (count: number) => new Uint8Array(count).fill((++seed % 255) + 1) };
  const tracer = createTracer((message) => messages.push(message), clock);
  const order = orderOf(options, { root, scratch });
  const span = tracer.start("invoke_agent test", { parent: order.traceparent });
  const files = openFiles({ root, scratch, base: emptyBase, isCaseInsensitive: false });
  const model = options.model ?? modelOf(options, requests);
  const talk = openConversation(order, { line, tracer, span, files, model, unlogged: [] });
  return {
    root,
    talk,
    requests,
    appends,
    signs,
    get facts() {
      return appends.flat();
    },
    get spans() {
      return messages.flatMap((message) => (message.at === "end" ? [message.span] : []));
    },
    async turns(most = 100) {
      let end: TurnEnd = { kind: "continue" };
      for (let turn = 0; turn < most && end.kind === "continue"; turn++) end = await takeTurn(talk);
      return end;
    },
    text: (path) => readFileSync(join(root, path), "utf8"),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

const noTokens: Usage = { input_tokens: 100, output_tokens: 10, cache_read_tokens: 0, cache_write_tokens: 0 };

export function says(text: string, stop: StopReason = "end_turn"): ModelAnswer {
  return { content: text === "" ? [] : [{ type: "text", text }], stop, usage: noTokens };
}

let calls = 0;

/** Calls by tool and input; ids of their own. */
export function asks(...wanted: [tool: string, input: unknown][]): ModelAnswer {
  const content = wanted.map(
    ([name, input]): AnswerBlock => ({ type: "tool_use", id: `call_${++calls}`, name, input }),
  );
  return { content, stop: "tool_use", usage: noTokens };
}

function modelOf({ said = [], card, estimate = estimateTokens }: TalkOptions, requests: ModelRequest[]): Model {
  const known = { id: "test-model", context_tokens: 200_000, output_tokens: 64_000, ...card };
  return {
    name: "test-model",
    ...(card === null ? {} : { card: known, estimate }),
    async answer(request, hearing) {
      hearing.signal.throwIfAborted();
      requests.push(structuredClone(request));
      const attempt = requests.length;
      const one =
        typeof said === "function" ? await said(request, attempt, hearing) : said[Math.min(attempt, said.length) - 1];
      if (!one) throw new Error("the test said nothing");
      if (one instanceof Error) throw one;
      hearing.began?.();
      return one;
    },
  };
}

const allowed: Decision = { effect: "allow", rule: "test", source: "test", reason: "the test said so" };

function lineOf(options: TalkOptions, { appends, signs }: { appends: ThreadFact[][]; signs: unknown[] }): Line {
  const stop = new AbortController();
  const refused = () => Promise.reject(new Error("nobody is asked here"));
  return {
    signal: stop.signal,
    async append(facts) {
      stop.signal.throwIfAborted();
      appends.push([...facts]);
      const said = options.acknowledge?.(facts, appends.length);
      return { decisions: decisionsOn(facts), notices: [], ...said };
    },
    said: (sign) => signs.push(sign),
    ...emptyBase,
    command: options.command ?? refused,
    search: refused,
    keep: async (text) => ({ sha256: "0".repeat(64), bytes: Buffer.byteLength(text) }),
    artifact: async () => undefined,
    span: () => {},
    alive: () => {},
    close: () => {},
  };
}

function decisionsOn(facts: readonly ThreadFact[]): Record<string, Decision> {
  const blocks = facts.flatMap((fact) => (fact.type === "turn.finished" ? fact.data.answer : []));
  const asked = blocks.flatMap((block) => (block.type === "tool_use" ? [block] : []));
  const effects = asked.filter(({ name }) => ["edit", "outside"].includes(toolNamed(name)?.effect ?? ""));
  return Object.fromEntries(effects.map(({ id }) => [id, allowed]));
}

function orderOf(options: TalkOptions, { root, scratch }: { root: string; scratch: string }) {
  const job = { allow: [parseRule("Bash")], deny: [parseRule("Read(secret/**)")] };
  const model =
    options.provider === "scripted"
      ? { provider: "scripted", file: "test.yaml", turns: [] }
      : { provider: "messages", via: "anthropic", model: "test-model", max_tokens: options.maxTokens };
  return runOrder.parse({
    run_id: "01890a5d-ac96-774b-bcce-b302099a8057",
    task_id: "one",
    title: "Task one",
    agent: { name: "one", model, instructions: "Be brief." },
    prompt: "Do it.",
    brief: options.brief ?? "",
    leftovers: options.leftovers ?? [],
    files: [],
    scope: taskScope({ writes: [{ glob: "src/**" }], job, tools: options.tools ?? toolNames }),
    workspace: { root, scratch, object_format: "sha1", is_case_insensitive: false },
    traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    max_turns: options.maxTurns ?? 40,
  });
}
