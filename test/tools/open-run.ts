import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runSearch } from "../../src/agent/search.ts";
import { type Files, openFiles } from "../../src/files/files.ts";
import { parseRule } from "../../src/permission/rule.ts";
import { taskScope } from "../../src/permission/task-scope.ts";
import type { Decision, PathPattern, Scope } from "../../src/protocol/scope.ts";
import type { SpanMessage } from "../../src/protocol/span.ts";
import { createTracer } from "../../src/telemetry/thread-tracer.ts";
import type { Asking } from "../../src/tools/asking.ts";
import { toolNamed, toolNames } from "../../src/tools/catalog.ts";
import { type Executed, execute } from "../../src/tools/execute.ts";
import { type JudgeView, judge } from "../../src/tools/judge.ts";
import { emptyBase } from "../files/folder-base.ts";

/** A run's tools over a real folder, with the coordinator's judge before every effect, as in a real run. */
export interface Run {
  home: string;
  root: string;
  scratch: string;
  files: Files;
  scope: Scope;
  isCaseInsensitive: boolean;
  spans: SpanMessage[];
  behind: JudgeView["behind"];
  /** Keeps a text as the coordinator would, and says its id. */
  keep(text: string): Promise<string>;
  put(path: string, content: string | Uint8Array): void;
  text(path: string): string;
  call(name: string, input: unknown): Promise<Executed>;
  /** Without the judge: as a thread would that made up its own acknowledgement. */
  callUnjudged(name: string, input: unknown, decision: Decision | undefined): Promise<Executed>;
  dispose(): void;
}

export interface Grant {
  writes?: PathPattern[];
  allow?: string[];
  deny?: string[];
  tools?: string[];
  isCaseInsensitive?: boolean;
}

export function openRun(grant: Grant = {}): Run {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-tools-")));
  const root = join(home, "root");
  const scratch = join(home, "scratch");
  for (const folder of [root, scratch]) mkdirSync(folder);
  const job = { allow: (grant.allow ?? []).map(parseRule), deny: (grant.deny ?? []).map(parseRule) };
  const scope = taskScope({ writes: grant.writes ?? [], job, tools: grant.tools ?? toolNames });
  const isCaseInsensitive = grant.isCaseInsensitive ?? false;
  const files = openFiles({ root, scratch, base: emptyBase, isCaseInsensitive });
  const spans: SpanMessage[] = [];
  let seed = 0;
  const clock = { now: () => 1, random: (count: number) => new Uint8Array(count).fill(++seed % 255 || 1) };
  const tracer = createTracer((message) => spans.push(message), clock);
  const kept = new Map<string, string>();
  const asking: Asking = {
    search: async (query, paths) => {
      const places = new Float64Array(paths.length * 3).fill(-1);
      const progress = new SharedArrayBuffer(4);
      const is_case_insensitive = isCaseInsensitive;
      return runSearch({ query, root, is_case_insensitive, paths: paths.join("\0"), blobs: [], places, progress });
    },
    async keep(text) {
      const id = sha256(text);
      kept.set(id, text);
      return { sha256: id, bytes: Buffer.byteLength(text) };
    },
    artifact: async (id) => kept.get(id),
  };
  const behind = async () => ({ kind: "missing" }) as const;
  const callUnjudged: Run["callUnjudged"] = async (name, input, decision) => {
    const runCommand = () => Promise.reject(new Error("there are no commands here"));
    const parent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const context = {
      scope,
      files,
      tracer,
      objectFormat: "sha1" as const,
      isCaseInsensitive,
      asking,
      parent,
      decision,
      runCommand,
    };
    const done = await execute({ type: "tool_use", id: "call", name, input }, context);
    if (!done.fact) throw new Error("a command is for the coordinator");
    return done;
  };
  return {
    home,
    root,
    scratch,
    files,
    scope,
    isCaseInsensitive,
    spans,
    callUnjudged,
    put(path, content) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
    text: (path) => readFileSync(join(root, path), "utf8"),
    behind,
    keep: async (text) => (await asking.keep(text)).sha256,
    async call(name, input) {
      const isRead = toolNamed(name)?.effect !== "edit";
      const view = { scope, root, isCaseInsensitive, behind };
      const call = { type: "tool_use", id: "call", name, input } as const;
      return callUnjudged(name, input, isRead ? undefined : (await judge(call, view)).decision);
    },
    dispose: () => rmSync(home, { recursive: true, force: true }),
  };
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
