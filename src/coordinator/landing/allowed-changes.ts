import { sift } from "../../merge/admit.ts";
import { decide } from "../../permission/decide.ts";
import { guardsScripts, hasSameScripts, scriptsReason } from "../../permission/package-scripts.ts";
import type { Scope } from "../../protocol/scope.ts";
import type { Change, Version } from "../../workspace/diff.ts";
import { type RawPath, toText } from "../../workspace/raw-path.ts";
import type { Repository } from "../../workspace/repository.ts";
import type { Objection } from "../../workspace/settle.ts";
import type { Around } from "../commands/setup.ts";

/**
 * What speaks against the changes of a command, by path and in their order: the scope, where it does not let that path
 * be edited; and of a package.json, other scripts. An agent's command and one of the job's author are held to the same.
 */
export async function objectionsTo(
  changes: readonly Change[],
  scope: Scope,
  around: Around,
): Promise<Map<RawPath, Objection>> {
  const { repository } = around.job;
  const scripts = await objectionsToScripts(changes, scope, repository);
  const objections = new Map<RawPath, Objection>();
  for (const change of changes) {
    const { path } = change;
    const objection = objectionToPath(change, scope, repository) ?? scripts.get(path);
    if (objection) objections.set(path, objection);
  }
  return objections;
}

function objectionToPath(change: Change, scope: Scope, { isCaseInsensitive }: Repository): Objection | undefined {
  const [refused] = sift([change], (path) => decide(scope, "Edit", path, { isCaseInsensitive })).refused;
  return refused && { rule: refused.rule, source: refused.source, reason: refused.reason };
}

/** What speaks against changes of package.json files, whoever made them. */
export async function objectionsToScripts(
  changes: readonly Change[],
  scope: Scope,
  repository: Repository,
): Promise<Map<RawPath, Objection>> {
  const { isCaseInsensitive } = repository;
  const objections = new Map<RawPath, Objection>();
  for (const change of changes) {
    const isGuarded = guardsScripts(scope, toText(change.path) ?? "", { isCaseInsensitive });
    if (!isGuarded || (await keepsScripts(change, repository))) continue;
    objections.set(change.path, { rule: "protected", source: "sheaf", reason: scriptsReason });
  }
  return objections;
}

async function keepsScripts({ before, after }: Change, repository: Repository): Promise<boolean> {
  if (after && !after.mode.startsWith("100")) return false;
  return hasSameScripts(await contentOf(before, repository), await contentOf(after, repository));
}

async function contentOf(version: Version | null, { objects }: Repository): Promise<Buffer | undefined> {
  return version?.mode.startsWith("100") ? objects.read(version.oid) : undefined;
}
