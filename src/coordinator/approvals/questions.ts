import type { StoredApproval } from "../../db/find-approval.ts";
import type { RunId, TaskId } from "../../protocol/ids.ts";
import type { Place } from "../tasks/places.ts";

/**
 * The questions of one job that wait for an answer, and the answers that hold for its rest. It decides nothing: whether
 * a call is a question at all is said before, by rules that no answer can lift.
 */
export interface Asked {
  tool: string;
  inputSha256: string;
  /** As people are shown it: where a path leads is part of it. */
  input: string;
  /** What made it a question. */
  rule: string;
  /** The rule that alone would have allowed this very call. */
  suggestion?: string | undefined;
}

export function askedIn({ tool, inputSha, input, rule, suggestion }: StoredApproval): Asked {
  return { tool, inputSha256: inputSha, input, rule, suggestion: suggestion ?? undefined };
}

export class Questions {
  readonly #open = new Map<string, { asked: Asked; hear: (approval: StoredApproval) => void }>();
  readonly #remembered: { asked: Asked; approval: StoredApproval }[] = [];
  readonly #places = new Map<TaskId, Place>();
  readonly #edits = new Map<RunId, Set<string>>();
  readonly #closing = new AbortController();

  /** Aborted when nobody's answer matters any more, although the job has not been stopped. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  close(): void {
    this.#closing.abort();
  }

  /** The place that a task has among those at work, which it does without while it waits. */
  seat(task: TaskId, place: Place): void {
    this.#places.set(task, place);
  }

  placeOf(task: TaskId): Place | undefined {
    return this.#places.get(task);
  }

  /** Those that wait. */
  get ids(): string[] {
    return [...this.#open.keys()];
  }

  /** From now on `hear` is told when the question has been settled. */
  open(id: string, asked: Asked, hear: (approval: StoredApproval) => void): void {
    this.#open.set(id, { asked, hear });
  }

  forget(id: string): void {
    this.#open.delete(id);
  }

  /** These paths may be written by that run, although no rule allows it. */
  allowEdits(run: RunId, paths: readonly string[]): void {
    this.#edits.set(run, new Set([...this.editsOf(run), ...paths]));
  }

  editsOf(run: RunId): string[] {
    return [...(this.#edits.get(run) ?? [])];
  }

  /** A settled row, as it is stored; nothing happens where nobody waits for it here. */
  tell(approval: StoredApproval): void {
    this.#open.get(approval.id)?.hear(approval);
  }

  /** The answer holds for whatever its rule covers; answers the ids of those open questions that this settles too. */
  remember(asked: Asked, approval: StoredApproval): string[] {
    // A run that goes on from its log hears the same answer again.
    if (!this.#remembered.some((known) => known.approval.id === approval.id))
      this.#remembered.push({ asked, approval });
    return [...this.#open].flatMap(([id, other]) => (covers(asked, other.asked) ? [id] : []));
  }

  /** What was answered before about a call like this one; a denial before an allowance. */
  recall(asked: Asked): StoredApproval | undefined {
    const known = this.#remembered.filter((each) => covers(each.asked, asked)).map(({ approval }) => approval);
    return known.find(({ state }) => state === "denied") ?? known[0];
  }
}

/**
 * A suggestion is the rule that alone allows the whole call, so two calls with the same one ask for the same. What
 * another rule asks about is another question.
 */
function covers(answered: Asked, asked: Asked): boolean {
  if (answered.rule !== asked.rule) return false;
  const keys = ["tool", "inputSha256", "input"] as const;
  if (keys.every((key) => answered[key] === asked[key])) return true;
  return answered.suggestion !== undefined && answered.suggestion === asked.suggestion;
}
