import type { PermissionMode } from "../protocol/scope.ts";
import type { Session, Surroundings } from "./session.ts";

/**
 * What becomes of a call that no rule speaks of, where the job says nothing: somebody who sits here is asked, and where
 * nobody does it is denied. A server's jobs are left to say it themselves: others may answer there. `warning` is for
 * whoever started the job.
 */
export function modeHere(
  written: PermissionMode | undefined,
  { isDetached, session, around }: { isDetached: boolean; session: Pick<Session, "reach">; around: Surroundings },
): { mode?: PermissionMode; warning?: string } {
  const { terminal, config } = around;
  const isElsewhere = session.reach === "server" || isDetached;
  if (written === "ask" && config.isCi && !isElsewhere) {
    return { mode: "deny", warning: "nobody is asked where CI is set: what no rule allows is denied" };
  }
  if (written !== undefined) return { mode: written };
  if (isDetached) return {};
  if (terminal.keyboard) return { mode: "ask" };
  return isElsewhere ? {} : { mode: "deny" };
}
