import type { Overrides } from "../job/resolve-overrides.ts";

/** What the command line says in the place of the job file, without what it does not say. */
export function overridesOf(options: Overrides): Overrides {
  const { check, concurrency, timeout, publish, model, sample, only, maxUsd, maxTokens, maxTurns, permissionMode } =
    options;
  const all = { concurrency, timeout, publish, model, sample, only, maxUsd, maxTokens, maxTurns, permissionMode };
  const said = Object.entries({ ...all, check: check?.length ? [...check] : undefined });
  return Object.fromEntries(said.filter(([, value]) => value !== undefined));
}
