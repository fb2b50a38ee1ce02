import type { Sandbox } from "./driver.ts";
import { layBait } from "./properties-bait.ts";
import { callPrograms } from "./properties-calls.ts";
import { judgeAttempts } from "./properties-judge.ts";
import { tryLimits } from "./properties-limits.ts";
import { attemptsOf } from "./properties-look.ts";
import { startOther } from "./properties-other.ts";

/** What holds for a command, as it was tried just now. No setting, no version and no documentation is asked. */
export interface Property {
  name: string;
  isHeld: boolean;
  /** What was tried, or what was seen that must not be. */
  saw: string;
}

export interface Tried {
  properties: Property[];
  /** `uid:gid` on this machine of what ran as a command, where it could be seen. */
  account: string | undefined;
  /** Folders of the operator's PATH that are on this machine, and not there for a command. */
  unseen: string[];
}

export interface PropertyOptions {
  /** Absolute; a folder in it is made, and removed. */
  dataFolder: string;
  userHome: string;
  /** The operator's PATH. */
  path: string;
  /** A variable of the operator's environment. */
  variable(name: string): string | undefined;
  limits: { memoryBytes: number; processes: number };
}

/** Runs a handful of commands that try to get out. Throws Fault `sandbox_unavailable` where they do not run at all. */
export async function tryProperties(sandbox: Sandbox, options: PropertyOptions): Promise<Tried> {
  await using bait = await layBait(options);
  const programs = callPrograms(process.arch);
  await using other = await startOther(sandbox, bait);
  const attempts = await attemptsOf(sandbox, { bait, programs, marks: other.marks });
  const { account, left } = await other.end();
  return {
    properties: [
      ...judgeAttempts(attempts, { changed: await bait.changed(), programs, ...options }),
      { name: "end", isHeld: left.length === 0, saw: left.length === 0 ? endSaid : `still there: ${left.join(", ")}` },
      ...(await tryLimits(sandbox, { tree: bait.tree, ...options.limits })),
    ],
    account,
    unseen: bait.folders.filter((folder) => !attempts.folders.includes(folder)),
  };
}

const endSaid = "a child that forked away and ignores signals was gone with its command";
