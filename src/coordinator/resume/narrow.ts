import type { Decision } from "../../protocol/scope.ts";

/** What a log says was decided of a call. */
export type Recorded =
  /** `isDone`: its result is in the log as well. */
  | { effect: "allow"; rule: string; isDone: boolean }
  | ({ effect: "deny" } & Pick<Decision, "rule" | "source" | "reason">);

/**
 * What holds of a call that was decided before and is decided again: the narrower of the two, but for what is done
 * already. What a person allowed stays allowed, as long as no rule denies it now. Pure.
 */
export function narrow(now: Decision, recorded: Recorded | undefined): Decision {
  if (!recorded) return now;
  if (recorded.effect === "deny") return { ...now, ...recorded };
  const isAnswered = now.effect === "ask" && recorded.rule.startsWith("approval ");
  if (!recorded.isDone && !isAnswered) return now;
  return now.effect === "allow" ? now : { ...now, effect: "allow", rule: recorded.rule, source: "log" };
}
