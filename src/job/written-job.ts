import type { InputValue } from "../protocol/job.ts";
import type { JobSource } from "./job-source.ts";
import type { Overridden, Overrides } from "./resolve-overrides.ts";

/**
 * The job file that says what this job was: the one that was written, with overrides and the values of its inputs in
 * it. `--sample` and `--only` are not part of a file and stay out.
 */
export function writtenJob(
  { written, name }: Pick<JobSource, "written" | "name">,
  overrides: Overrides,
  { overridden, inputs }: { overridden: Overridden; inputs: Readonly<Record<string, InputValue>> },
): Record<string, unknown> {
  const { checks, publish, model, permissions } = overridden;
  const { version, name: _, inputs: declared, ...rest } = written;
  const { time: _time, ...numbers } = overridden.limits ?? {};
  const limits = { ...numbers, ...(overrides.timeout === undefined ? {} : { time: overrides.timeout }) };
  return {
    version,
    name,
    ...(isRecord(declared) ? { inputs: withValues(declared, inputs) } : {}),
    ...rest,
    ...(model === undefined ? {} : { model }),
    ...(checks === undefined ? {} : { checks: [...listOf(written.checks), ...(overrides.check ?? [])] }),
    ...(publish === undefined ? {} : { publish }),
    ...(permissions === undefined ? {} : { permissions }),
    ...(Object.keys(limits).length === 0
      ? {}
      : { limits: { ...(isRecord(written.limits) ? written.limits : {}), ...limits } }),
  };
}

function withValues(declared: Readonly<Record<string, unknown>>, inputs: Readonly<Record<string, InputValue>>) {
  const entries = Object.entries(declared).map(([name, written]) => {
    const value = inputs[name]?.value;
    if (value === undefined) return [name, written];
    if (!isRecord(written)) return [name, typed(value, typeof written)];
    return [name, { ...written, default: typed(value, String(written.type ?? "string")) }];
  });
  return Object.fromEntries(entries);
}

function typed(value: string, type: string): string | number | boolean {
  if (type === "number") return Number(value);
  return type === "boolean" ? value === "true" : value;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
