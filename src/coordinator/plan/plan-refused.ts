import type { Reason } from "../../protocol/result.ts";

/** No plan that can be carried out came of a job that has to be planned: thrown, because nothing of it can begin. */
export class PlanRefused extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason.message);
    this.name = "PlanRefused";
    this.reason = reason;
  }
}
