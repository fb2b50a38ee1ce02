import { z } from "zod";

/** How a job ended: exactly one, and the exit code follows from it. */
export const outcome = z.enum([
  "succeeded",
  "no_changes",
  "failed",
  "unverified",
  "partial",
  "limit",
  "waiting",
  "blocked",
  "cancelled",
  "error",
]);
export type Outcome = z.infer<typeof outcome>;

/** Strongest first: when several hold, the first of these is the job's outcome. */
const precedence: readonly Outcome[] = [
  "error",
  "cancelled",
  "blocked",
  "limit",
  "failed",
  "unverified",
  "partial",
  "waiting",
  "no_changes",
  "succeeded",
];

/** The outcome to report out of all those that hold. Without any it is `succeeded`. */
export function strongest(holding: readonly Outcome[]): Outcome {
  return precedence.find((candidate) => holding.includes(candidate)) ?? "succeeded";
}

const exits: Readonly<Record<Exclude<Outcome, "error" | "cancelled">, number>> = {
  succeeded: 0,
  no_changes: 0,
  failed: 1,
  unverified: 1,
  partial: 10,
  limit: 11,
  waiting: 12,
  blocked: 13,
};

/** `error` takes its exit from the fault; `cancelled` from the signal (130 SIGINT, 143 SIGTERM; 130 by request). */
export function exitOf(ended: Outcome, detail: { faultExit?: number; signal?: "SIGINT" | "SIGTERM" } = {}): number {
  if (ended === "error") return detail.faultExit ?? 70;
  if (ended === "cancelled") return detail.signal === "SIGTERM" ? 143 : 130;
  return exits[ended];
}
