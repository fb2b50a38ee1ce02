import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ApplyStep } from "./plan-apply.ts";
import { putEntries } from "./put-entries.ts";
import type { RawPath } from "./raw-path.ts";
import type { Repository } from "./repository.ts";
import type { TreeEntry } from "./tree-listing.ts";
import { withUserView } from "./user-view.ts";

/**
 * Writes the new contents of an apply aside, whole, before the first file of the user's is moved: a full disk shows
 * itself here.
 */
export interface StagedStep {
  path: RawPath;
  /** The folder that holds the new file under its own path; undefined deletes. */
  from: string | undefined;
}

export async function stageFiles(
  repository: Repository,
  stage: string,
  steps: readonly ApplyStep[],
): Promise<StagedStep[]> {
  const exact = join(stage, "exact");
  const converted = join(stage, "converted");
  for (const folder of [exact, converted, join(stage, "old")]) await mkdir(folder);
  await withUserView(repository, async (view) => {
    const indexFile = join(view.where.gitDir, "staging");
    await putEntries({ repository, root: exact, indexFile: `${indexFile}-exact` }, entriesOf(steps, "exact"));
    // Attributes are looked up in the user's checkout, so the files go out from there.
    await putEntries(
      {
        repository,
        root: repository.user.top,
        indexFile,
        through: { ...view, prefix: `${basename(stage)}/converted/` },
      },
      entriesOf(steps, "converted"),
    );
  });
  const folderOf = { exact, converted };
  return steps.map(({ path, after, content }) => ({ path, from: after ? folderOf[content] : undefined }));
}

function entriesOf(steps: readonly ApplyStep[], content: ApplyStep["content"]): TreeEntry[] {
  return steps.flatMap((step) => (step.after && step.content === content ? [{ path: step.path, ...step.after }] : []));
}
