import type { Failure } from "../protocol/failure.ts";

/** A model call that no further attempt would mend; carries why. */
export class CallFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "CallFailed";
    this.failure = failure;
  }
}
