import { resolve } from "node:path";
import { readText } from "../document/read-text.ts";
import { Fault } from "../protocol/failure.ts";
import type { Rule } from "../protocol/scope.ts";
import type { WrittenRule } from "../protocol/written-rule.ts";
import type { WrittenSettings } from "./written.ts";

/** What the operator lets any job do at most, whoever asks for it. It can only take away. */
export interface Ceiling {
  /** Without `allow` everything that a job allows itself; `ask` and `deny` always hold. */
  permissions: { allow?: readonly Rule[]; ask: readonly Rule[]; deny: readonly Rule[] };
  /** Without `hosts` every public one. Private addresses are reached only under the names in `private`. */
  network: { hosts?: readonly string[]; private: readonly string[] };
  /** By name; never shown. A job can have these alone. */
  secrets: Readonly<Record<string, string>>;
  /** How long a question waits for its answer. */
  approvalMs: number;
}

/** Reads one rule that stands at that place of the file. Throws Fault `configuration`. */
export type RuleReader = (written: WrittenRule, list: "allow" | "ask" | "deny", at: (string | number)[]) => Rule;

export function ceilingOf(
  { permissions, network, approvals }: WrittenSettings,
  { secrets, rule }: { secrets: Ceiling["secrets"]; rule: RuleReader },
): Ceiling {
  const rules = (list: "allow" | "ask" | "deny", written: readonly WrittenRule[]) =>
    written.map((each, index) => rule(each, list, ["permissions", list, index]));
  const { allow, ask, deny } = permissions;
  return {
    permissions: {
      ...(allow ? { allow: rules("allow", allow) } : {}),
      ask: rules("ask", ask),
      deny: rules("deny", deny),
    },
    network: { ...(network.hosts ? { hosts: network.hosts } : {}), private: network.private },
    secrets,
    approvalMs: approvals.timeout,
  };
}

interface Source {
  place(path: (string | number)[]): string;
  folder: string;
  variable?: (name: string) => string | undefined;
}

/** Throws Fault `configuration` for one that is not there: a command without its secret would fail in some other way. */
export async function secretsOf(written: WrittenSettings["secrets"], source: Source): Promise<Ceiling["secrets"]> {
  const read = async ([name, from]: [string, Kept]) => [name, await readKept(from, ["secrets", name], source)] as const;
  return Object.fromEntries(await Promise.all(Object.entries(written).map(read)));
}

interface Kept {
  env?: string | undefined;
  file?: string | undefined;
}

/** The secret that the key at `path` names. Throws Fault `configuration` where there is none. */
export async function readKept(from: Kept, path: (string | number)[], source: Source): Promise<string> {
  const at = source.place(path);
  const value = from.env === undefined ? await fromFile(from.file ?? "", source) : source.variable?.(from.env);
  if (value) return value;
  const remedy = from.env === undefined ? "write the secret into it" : `set ${from.env} where sheaf is started`;
  throw new Fault("configuration", `${at}: there is no secret in ${from.env ?? from.file}`, { remedy });
}

async function fromFile(written: string, { folder }: Source): Promise<string> {
  const file = resolve(folder, written);
  const text = await readText(file, {
    file,
    code: "configuration",
    remedy: "every key is described in docs/configuration.md",
  });
  return text.replace(/\r?\n$/, "");
}
