import { sift } from "../merge/admit.ts";
import { decide } from "../permission/decide.ts";
import { guardsScripts, hasSameScripts, scriptsReason } from "../permission/package-scripts.ts";
import type { Scope } from "../protocol/scope.ts";
import type { Change, Version } from "../workspace/diff.ts";
import { type RawPath, toText } from "../workspace/raw-path.ts";
import type { Repository } from "../workspace/repository.ts";
import type { Objection } from "../workspace/settle.ts";

/**
 * What speaks against changes, by path, whoever made them: an agent, a command, a formatter. Their paths are decided by
 * the scope; of a package.json its scripts as well.
 */
export async function objectionsTo(
  changes: readonly Change[],
  scope: Scope,
  repository: Repository,
): Promise<Map<RawPath, Objection>> {
  const facts = { isCaseInsensitive: repository.isCaseInsensitive };
  const objections = await objectionsToScripts(changes, scope, repository);
  for (const change of changes) {
    const [refused] = sift([change], (path) => decide(scope, "Edit", path, facts)).refused;
    if (!refused) continue;
    const { rule, source, reason } = refused;
    objections.set(change.path, { rule, source, reason });
  }
  return objections;
}

/** What speaks against changes of package.json files. */
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
