import { Fault } from "../../protocol/failure.ts";
import { toText } from "../../workspace/raw-path.ts";
import type { Repository } from "../../workspace/repository.ts";

/** The texts of some files of a tree, as git has them. Links are not followed. Throws Fault `job_file` for a huge one. */
export async function readBaseTexts(
  repository: Repository,
  tree: string,
  isWanted: (path: string) => boolean,
): Promise<Map<string, string>> {
  const { entries } = await repository.listings.get(tree);
  const wanted = [...entries.values()].flatMap(({ path: raw, mode, oid }) => {
    const path = toText(raw);
    return path !== undefined && mode.startsWith("100") && isWanted(path) ? [{ path, oid }] : [];
  });
  const texts = new Map<string, string>();
  for (const { path, oid } of wanted) {
    const size = (await repository.objects.info(oid))?.size ?? 0;
    if (size > mostBytes) throw tooLarge(path, size);
    const bytes = await repository.objects.read(oid);
    if (bytes) texts.set(path, bytes.toString());
  }
  return texts;
}

/** GitHub stops reading a CODEOWNERS file at 3 MB; no manifest comes near. */
const mostBytes = 4 * 1024 * 1024;

function tooLarge(path: string, size: number): Fault {
  return new Fault("job_file", `split: ${path} has ${size} bytes, and at most ${mostBytes} are read`, {
    remedy: "split by directory or by list",
  });
}
