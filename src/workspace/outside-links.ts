import type { Change } from "./diff.ts";
import type { OpenWorkspace } from "./open-workspace.ts";
import { type RawPath, rawOf } from "./raw-path.ts";

/**
 * Which of the new or changed symlinks would lead out of the repository, resolved in the tree that the changes make:
 * through other links too, never by asking the disk. A link to nothing is no harm.
 */
export async function outsideLinks(open: OpenWorkspace, touched: readonly Change[]): Promise<Set<RawPath>> {
  const changed = new Map(touched.map(({ path, after }) => [path, after]));
  const targetAt = async (path: RawPath): Promise<string | undefined> => {
    const entry = changed.get(path) ?? open.listing.entries.get(path);
    if (entry?.mode !== "120000") return undefined;
    return (await open.repository.objects.read(entry.oid))?.toString("latin1");
  };
  const outside = new Set<RawPath>();
  for (const { path, after } of touched) {
    if (after?.mode === "120000" && !(await staysInside(path, targetAt))) outside.add(path);
  }
  return outside;
}

/** As many links as Linux follows before it says ELOOP. */
const mostHops = 40;

async function staysInside(link: RawPath, targetAt: (path: RawPath) => Promise<string | undefined>): Promise<boolean> {
  const at: string[] = [];
  let ahead = link.split("/");
  for (let hops = 0; ahead.length > 0 && hops <= mostHops; ) {
    const [step = "", ...rest] = ahead;
    ahead = rest;
    if (!enter(at, step)) return false;
    const target = isName(step) ? await targetAt(rawOf(at.join("/"))) : undefined;
    if (target === undefined) continue;
    if (target.startsWith("/")) return false;
    hops++;
    at.pop();
    ahead = [...target.split("/"), ...rest];
  }
  return true;
}

/** One step from where we are; false when it leaves the root. */
function enter(at: string[], step: string): boolean {
  if (step === "..") return at.pop() !== undefined;
  if (isName(step)) at.push(step);
  return true;
}

function isName(step: string): boolean {
  return step !== "" && step !== "." && step !== "..";
}
