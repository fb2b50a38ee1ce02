import { Fault } from "../protocol/failure.ts";
import { toRaw } from "../workspace/raw-path.ts";
import type { Repository } from "../workspace/repository.ts";

/** Agent files are prompts. */
const mostBytes = 1_000_000;

/**
 * Reads agent files of one tree, as git has them: what lies in somebody's checkout is not what the job is about. Links
 * are not followed. Throws Fault `job_file` for a huge one.
 */
export function agentFileAt(repository: Repository, tree: string): (path: string) => Promise<string | undefined> {
  return async (path) => {
    const { entries } = await repository.listings.get(tree);
    const entry = entries.get(toRaw(path));
    if (!entry?.mode.startsWith("100")) return undefined;
    const size = (await repository.objects.info(entry.oid))?.size ?? 0;
    if (size > mostBytes) {
      throw new Fault("job_file", `${path} has ${size} bytes, and at most ${mostBytes} of an agent file are read`, {
        remedy: "shorten it",
      });
    }
    return (await repository.objects.read(entry.oid))?.toString();
  };
}
