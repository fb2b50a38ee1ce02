import type { PermissionMode } from "../protocol/scope.ts";
import type { Session, Surroundings } from "./session.ts";

interface Here {
  isDetached: boolean;
  /** False where somebody sits here whose answers the server would not take. */
  isHeard: boolean;
  session: Pick<Session, "reach">;
  around: Surroundings;
}

/**
 * What becomes of a call that no rule speaks of, where the job says nothing: somebody who sits here is asked, and where
 * nobody does it is denied. A server's jobs are left to say it themselves: others may answer there. `warning` is for
 * whoever started the job.
 */
export function modeHere(
  written: PermissionMode | undefined,
  { isDetached, isHeard, session, around }: Here,
): { mode?: PermissionMode; warning?: string } {
  const { terminal, config } = around;
  const isElsewhere = session.reach === "server" || isDetached;
  if (written === "ask" && config.isCi && !isElsewhere) {
    return { mode: "deny", warning: "nobody is asked where CI is set: what no rule allows is denied" };
  }
  if (!isHeard) return unheardMode(written);
  if (written !== undefined) return { mode: written };
  if (isDetached) return {};
  if (terminal.keyboard) return { mode: "ask" };
  return isElsewhere ? {} : { mode: "deny" };
}

/** Nobody here is asked, and whoever started the job ought to know why. */
function unheardMode(written: PermissionMode | undefined): ReturnType<typeof modeHere> {
  const because = "your token cannot answer questions: it lacks the scope approve";
  if (written === undefined)
    return { warning: `${because}; what no rule speaks of is denied, unless the job says ask` };
  return written === "ask" ? { mode: written, warning: `${because}; whoever may has to` } : { mode: written };
}
