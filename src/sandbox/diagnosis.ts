import type { Machine } from "./diagnose-machine.ts";
import type { NoSandbox } from "./driver.ts";

/** Looks for one kind of cause. `saw` is what the trial run printed or failed with. */
export type Diagnosis = (saw: string, machine: Machine) => NoSandbox | undefined;

/** The other way out of every cause, for whoever is in a place that is thrown away anyway. */
export const orExternal =
  "if this machine (a container, a CI runner) is itself the sandbox, say so with sandbox: { mode: external } in sheaf.config.yaml";

/** bubblewrap was kept from making its namespaces, or from mounting in them. */
export function isOfNamespaces(saw: string): boolean {
  return /bwrap: .*(namespace|[ug]id map|setgroups|loopback|RTM_|mount|pivot_root|slave|\/proc\b)/i.test(saw);
}

/** What went wrong last is what it failed by. */
export function lastLine(saw: string): string {
  const lines = saw.split("\n").filter((line) => line.trim() !== "");
  return (lines.at(-1) ?? "it said nothing").slice(0, 500);
}
