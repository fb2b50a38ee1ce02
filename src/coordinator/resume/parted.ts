import type { Failure } from "../../protocol/failure.ts";

/**
 * A run that was gone on with came to something else than its log says. Nothing of it is believed any more: the run ends
 * here, and its step begins anew.
 */
export class Parted extends Error {
  readonly failure: Failure;

  constructor(where: string) {
    const message = `it was cut off, and could not go on from its log: ${where}`;
    super(message);
    this.name = "Parted";
    const remedy = "nothing is lost but what the run had done: its step begins anew";
    this.failure = { code: "interrupted", message, remedy };
  }
}
