import { lstatSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { Account } from "./account.ts";
import { isWithin } from "./tool-folders.ts";

/**
 * Where commands run as somebody else than Sheaf, folders below one that is closed to that account (root's home, a
 * private temporary folder) are brought to a place it can reach, in a mount namespace of that one command. Nothing of it
 * is ever to be seen on the machine, and nobody's permissions are changed for it.
 */
export interface Reach {
  /** The path by which the account reaches what is at `source`. */
  of(source: string): string;
  /** The words that start a program as the account; absent where nothing has to be brought anywhere. */
  prelude?: readonly string[];
}

/** `sources` are absolute and without links. */
export function reachFor(sources: readonly string[], account: Account): Reach {
  const gates = account.isOther ? [...new Set(sources.flatMap((source) => gateOf(source, account) ?? []))] : [];
  if (gates.length === 0) return { of: (source) => source };
  const stage = stageFor(sources);
  const of = (source: string) => {
    const gate = gateOf(source, account);
    if (gate === undefined) return source;
    const at = gates.indexOf(gate);
    // A folder on the way was closed since, or nobody said that this one would be asked for.
    if (at < 0) throw new Fault("sandbox_unavailable", `commands cannot reach ${source}: ${dirname(gate)} is closed`);
    return `${stage}/${at}${source.slice(gate.length)}`;
  };
  return { of, prelude: preludeOf(stage, gates, account) };
}

/** The first folder on the way that lies in a closed one, with nothing closed behind it; undefined where all is open. */
function gateOf(source: string, account: Account): string | undefined {
  for (let path = source; path !== "/"; path = dirname(path)) {
    if (!isOpen(dirname(path), account)) return path;
  }
  return undefined;
}

/** By mode bits alone: where an access list says more, the detour is taken for nothing. */
function isOpen(folder: string, { uid, gid }: Account): boolean {
  const { mode, uid: owner, gid: group } = statSync(folder);
  if (owner === uid) return (mode & 0o100) !== 0;
  return (mode & (group === gid ? 0o010 : 0o001)) !== 0;
}

/** A folder of the file hierarchy standard that nothing of this command lies in. It is covered for this command only. */
function stageFor(sources: readonly string[]): string {
  const isFree = (folder: string) => isPlainFolder(folder) && !sources.some((source) => isWithin(source, folder));
  const found = ["/mnt", "/media", "/srv", "/opt", "/home"].find(isFree);
  if (found !== undefined) return found;
  throw new Fault("sandbox_unavailable", "there is no folder in which commands could be given their files", {
    remedy: "create an empty folder /mnt, or keep SHEAF_HOME where every account can enter",
  });
}

function isPlainFolder(folder: string): boolean {
  try {
    return lstatSync(folder).isDirectory() && readdirSync(folder) !== undefined;
  } catch {
    return false;
  }
}

function preludeOf(stage: string, gates: readonly string[], { uid, gid }: Account): string[] {
  const start = ["/usr/bin/unshare", "--mount", "--propagation", "private", "--", "/bin/sh", "-c", script, "sheaf"];
  return [...start, stage, String(uid), String(gid), String(gates.length), ...gates];
}

/** Runs as root before the account is taken on, with no variable and no word of the command's in sight. */
const script = `set -e
system=/usr/sbin:/usr/bin:/sbin:/bin
stage=$1 uid=$2 gid=$3 left=$4 at=0
shift 4
PATH=$system mount -n -t tmpfs -o mode=0755,size=64k tmpfs "$stage"
while [ "$left" -gt 0 ]; do
  if [ -d "$1" ]; then PATH=$system mkdir "$stage/$at"; else : > "$stage/$at"; fi
  PATH=$system mount -n -o bind "$1" "$stage/$at"
  shift
  at=$((at + 1)) left=$((left - 1))
done
exec /usr/bin/setpriv --reuid "$uid" --regid "$gid" --clear-groups --inh-caps=-all --pdeathsig KILL -- "$@"`;
