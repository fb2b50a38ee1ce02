import { decide } from "../../permission/decide.ts";
import { readsAll } from "../../permission/reads-all.ts";
import { toText } from "../../workspace/raw-path.ts";
import { commitTree } from "../../workspace/tree.ts";
import type { Workspace } from "../../workspace/workspace.ts";
import type { Job } from "../job.ts";
import { requireSandbox } from "../refuse-unrunnable.ts";
import type { StepOrder } from "../tasks/step-order.ts";
import { type Around, prepareCheckout } from "./setup.ts";

/**
 * Makes a run's workspace a whole checkout before its first command. Files that the run may not read are not in it, and
 * then no git is: what it keeps would show them.
 */
export async function inflateFor(
  place: Around & { order: Pick<StepOrder, "scope" | "tree">; workspace: Workspace },
): Promise<{
  isWithoutGit: boolean;
}> {
  const { order, workspace, job, equipment } = place;
  const { scope, tree } = order;
  const facts = { isCaseInsensitive: job.repository.isCaseInsensitive };
  const isOpen = readsAll(scope);
  const mayRead = (path: string | undefined) =>
    path !== undefined && decide(scope, "Read", path, facts).effect === "allow";
  await workspace.inflate({
    isWithheld: (path) => !isOpen && !mayRead(toText(path)),
    commit: async () => (isOpen ? headOf(tree, job) : undefined),
    async prepare(root) {
      await prepareCheckout(root, tree, { job, equipment });
      // So that the files look from now on as they do to the commands.
      await (await requireSandbox(equipment, "the bash tool")).handOver(root);
    },
  });
  return { isWithoutGit: !isOpen };
}

/** The commit of the job's base, or one on it with what the steps before this one did. */
async function headOf(tree: string, { spec: { base }, repository }: Job): Promise<string> {
  if (tree === base.tree) return base.commit;
  return commitTree(repository, { tree, parents: [base.commit], message: "What this step starts from", at: 0 });
}
