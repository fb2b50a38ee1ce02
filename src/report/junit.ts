import type { CheckResult, Reason, Result, TaskResult } from "../protocol/result.ts";
import { visibleLine } from "../protocol/visible.ts";
import { type Attributes, element, textElement } from "./xml.ts";

/**
 * A result as JUnit XML: the outcome, each check and each task as a test case. A job that did not end well always has
 * at least one red case. Valid against the schemas of Ant (windyroad/JUnit-Schema) and Jenkins (xunit-plugin,
 * junit-10.xsd), whose common part this is: no attributes on the root, no time zone, both outputs at the end.
 */
export function renderJunit(result: Result, { hostname }: { hostname: string }): string {
  const suites: [name: string, cases: Case[]][] = [
    ["outcome", [outcomeCase(result)]],
    ["checks", result.checks.map(checkCase)],
    ["tasks", result.tasks.map(taskCase)],
  ];
  const written = suites.map(([name, cases], id) => suite({ id, name, cases, hostname }, result));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", {}, written)}\n`;
}

interface Case {
  name: string;
  seconds: number;
  /** Absent when it went well. */
  trouble?: { kind: "failure" | "error" | "skipped"; type: string; message: string; text: string };
}

function outcomeCase(result: Result): Case {
  const { outcome, exit_code, reason } = result;
  const plain: Case = { name: `job ${result.job.name}`, seconds: secondsOf(result) };
  if (exit_code === 0) return plain;
  // Red because of the work is a failure; red because it was not done, or could not be, is an error.
  const kind = ["failed", "unverified", "partial", "blocked"].includes(outcome) ? "failure" : "error";
  const why = reason ?? { code: outcome, message: outcome };
  return { ...plain, trouble: { kind, type: why.code, message: `${outcome}: ${why.message}`, text: story(why) } };
}

function checkCase(check: CheckResult): Case {
  const { name, task, state, detail = state, duration_ms } = check;
  const plain: Case = { name: task === undefined ? name : `${name} on task ${task}`, seconds: duration_ms / 1000 };
  if (state === "passed") return plain;
  const kind = state === "skipped" ? "skipped" : "failure";
  const text = [detail, ...(check.failing ?? []).map((each) => `fails: ${each}`), check.tail ?? ""].join("\n");
  return { ...plain, trouble: { kind, type: `check_${state}`, message: detail, text } };
}

function taskCase(task: TaskResult): Case {
  const plain: Case = { name: `task ${task.id}`, seconds: 0 };
  if (task.landed || task.state === "no_changes") return plain;
  const why = task.reason ?? { code: "not_landed", message: "its work was not landed, because the job landed nothing" };
  const text = [story(why), ...(task.patch_file === undefined ? [] : [`patch: ${task.patch_file}`])].join("\n");
  const wasDone = task.state === "succeeded" && task.reason === undefined;
  const kind = wasDone ? "skipped" : task.state === "limit" || task.state === "cancelled" ? "error" : "failure";
  return { ...plain, trouble: { kind, type: why.code, message: `${task.state}: ${why.message}`, text } };
}

function story({ message, remedy, log }: Reason): string {
  return [message, ...(remedy === undefined ? [] : [`try: ${remedy}`]), ...(log === undefined ? [] : [log])].join("\n");
}

function suite(
  { id, name, cases, hostname }: { id: number; name: string; cases: readonly Case[]; hostname: string },
  result: Result,
): string {
  const count = (kind: string) => cases.filter(({ trouble }) => trouble?.kind === kind).length;
  const job = token(result.job.name);
  const attributes: Attributes = {
    id,
    name,
    package: job,
    hostname: token(hostname),
    timestamp: result.started_at.slice(0, 19),
    tests: cases.length,
    failures: count("failure"),
    errors: count("error"),
    skipped: count("skipped"),
    time: seconds(cases.reduce((sum, each) => sum + each.seconds, 0)),
  };
  return element("testsuite", attributes, [
    element("properties", {}, propertiesOf(result)),
    ...cases.map((each) => testCase(each, `${job}.${name}`)),
    element("system-out", {}),
    element("system-err", {}),
  ]);
}

function propertiesOf(result: Result): string[] {
  const { outcome, exit_code, base_commit, result_commit, trace_id } = result;
  const told = {
    outcome,
    exit_code,
    job: result.job.handle,
    base_commit,
    result_commit: result_commit ?? "",
    trace_id,
  };
  return Object.entries(told).map(([name, value]) => element("property", { name, value }));
}

function testCase({ name, seconds: taken, trouble }: Case, classname: string): string {
  const attributes = { classname, name: token(name), time: seconds(taken) };
  if (!trouble) return element("testcase", attributes);
  const { kind, type, message, text } = trouble;
  const about = { type: token(type), message: visibleLine(message, 1_000) };
  // Jenkins and GitLab read a skip's message; its text is nobody's.
  const child = kind === "skipped" ? element(kind, about) : textElement(kind, about, lastOf(text));
  return element("testcase", attributes, [child]);
}

const mostText = 20_000;

function lastOf(text: string): string {
  return text.length <= mostText ? text : `[cut: ${text.length - mostText} characters]\n${text.slice(-mostText)}`;
}

function token(text: string): string {
  return visibleLine(text, 300) || "unnamed";
}

function secondsOf({ started_at, ended_at }: Result): number {
  return Math.max(0, Date.parse(ended_at) - Date.parse(started_at)) / 1000;
}

function seconds(value: number): string {
  return Math.max(0, value).toFixed(3);
}
