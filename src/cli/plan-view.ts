import type { BaseCheck, Forecast, JobPlan } from "../protocol/plan.ts";
import type { Result } from "../protocol/result.ts";
import { visible } from "../protocol/visible.ts";
import { columns, count, duration, oneLine } from "./words.ts";

/** A plan for a person: what is to be done by whom, how the checks do before it, and what it is thought to take. */
export type ShownPlan = Pick<JobPlan, "plan" | "tasks" | "base_checks" | "forecast">;

/** Most tasks that are shown where it is not the plan alone that is asked for. */
const mostShown = 40;

export function planLines({ plan, tasks, base_checks = [], forecast }: ShownPlan, most = mostShown): string[] {
  const planned = new Map(plan?.tasks.map((task) => [task.id as string, task]));
  const rows = tasks.slice(0, most).map(({ id, title, files, needs }) => {
    const writes = planned.get(id)?.writes ?? [];
    const paths = writes.slice(0, 3).join(", ") + (writes.length > 3 ? ", ..." : "");
    return [
      `  ${id}`,
      count(files, "file"),
      oneLine(title, 60),
      oneLine(paths, 80),
      needs.length > 0 ? `after ${oneLine(needs.join(", "), 60)}` : "",
    ];
  });
  return [
    ...(plan ? [`plan   ${oneLine(plan.summary, 200)}`] : []),
    ...(plan?.land === "together" ? ["       lands together: all of it or nothing"] : []),
    ...columns(rows),
    ...(tasks.length > most ? [`  and ${tasks.length - most} more`] : []),
    ...base_checks.map(checkLine),
    ...(forecast ? [forecastLine(forecast)] : []),
  ].map(visible);
}

function checkLine({ run, state, detail, duration_ms, is_left_out }: BaseCheck): string {
  const why = detail ? ` (${oneLine(detail, 80)})` : "";
  const left = is_left_out ? "; left out" : "";
  return `  base   ${state.padEnd(10)} ${oneLine(run, 80)}${why}  ${duration(duration_ms)}${left}`;
}

function forecastLine({ tasks, turns, input_tokens, output_tokens, nano_usd, basis }: Forecast): string {
  const cost = nano_usd === null ? "cost unknown" : `about ${money(nano_usd)}`;
  const tokens = `${rounded(input_tokens)} tokens in, ${rounded(output_tokens)} out`;
  return `  forecast  ${count(tasks, "task")}, ${count(turns, "turn")}, ${tokens}, ${cost} (${basis})`;
}

/** What planning itself took. */
export function planningLine({ plan }: Result): string[] {
  if (!plan?.usage) return [];
  const { turns, tokens, cost_nano_usd } = plan.usage;
  const read = tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens;
  const cost = cost_nano_usd === null ? "cost unknown" : money(cost_nano_usd);
  return [
    `  planning  ${count(turns, "turn")}, ${rounded(read)} tokens in, ${rounded(tokens.output_tokens)} out, ${cost}`,
  ];
}

function money(nanoUsd: number): string {
  return `$${(nanoUsd / 1e9).toFixed(2)}`;
}

function rounded(tokens: number): string {
  if (tokens < 10_000) return String(tokens);
  return tokens < 10_000_000 ? `${Math.round(tokens / 1_000)}k` : `${Math.round(tokens / 1_000_000)}M`;
}
