import type { AgentFiles } from "../../job/repository-agents.ts";
import { Fault } from "../../protocol/failure.ts";
import { rawOf, toRaw, toText } from "../../workspace/raw-path.ts";
import type { Repository } from "../../workspace/repository.ts";
import { entriesBelow } from "../../workspace/tree-listing.ts";

/** Agent files are prompts. */
const mostBytes = 1_000_000;
/** Where agents are known without being named. */
const folder = ".claude/agents";

/**
 * The agent files of one tree, as git has them: what lies in somebody's checkout is not what the job is about. Links
 * are not followed. Reading throws Fault `job_file` for a huge one, and for one that is no text.
 */
export function agentFilesAt(repository: Repository, tree: string): AgentFiles {
  return {
    async read(path) {
      const { entries } = await repository.listings.get(tree);
      const entry = entries.get(toRaw(path));
      if (!entry?.mode.startsWith("100")) return undefined;
      const size = (await repository.objects.info(entry.oid))?.size ?? 0;
      if (size > mostBytes) {
        throw new Fault("job_file", `${path} has ${size} bytes, and at most ${mostBytes} of an agent file are read`, {
          remedy: "shorten it",
        });
      }
      const bytes = await repository.objects.read(entry.oid);
      const text = bytes && toText(rawOf(bytes));
      if (bytes === undefined || text !== undefined) return text;
      throw new Fault("job_file", `${path}: the file is not UTF-8 text`, { remedy: "save it as UTF-8" });
    },
    async list() {
      const listing = await repository.listings.get(tree);
      return [...entriesBelow(listing, toRaw(folder))].flatMap(({ path, mode }) => {
        const name = mode.startsWith("100") ? toText(path) : undefined;
        return name?.endsWith(".md") ? [name] : [];
      });
    },
  };
}
