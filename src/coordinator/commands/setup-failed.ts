import type { Reason } from "../../protocol/result.ts";

/** The job's setup did not succeed on a tree: thrown, because a checkout of that tree cannot be had for any purpose. */
export class SetupFailed extends Error {
  readonly reason: Reason;
  /** It fails at the job's own base, and so would every task. */
  readonly isAtBase: boolean;

  constructor(reason: Reason, isAtBase: boolean) {
    super(reason.message);
    this.name = "SetupFailed";
    this.reason = reason;
    this.isAtBase = isAtBase;
  }
}
