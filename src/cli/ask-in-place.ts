import type { Coordinator } from "../coordinator/coordinator.ts";
import type { ApprovalAnswer } from "../protocol/approval.ts";
import type { Fact, FactData } from "../protocol/event.ts";
import { toFailure } from "../protocol/failure.ts";
import { questionLines, shortId } from "./approval-text.ts";
import { tooLate } from "./approve.ts";
import type { Keyboard } from "./keyboard.ts";
import type { Progress } from "./progress.ts";
import { oneLine } from "./words.ts";

/**
 * Asks whoever sits at the terminal, one question at a time, while the job runs on. It keeps nothing to itself: whoever
 * answers first, here or elsewhere, has answered, and then the question goes.
 */
export interface AskInPlace {
  take(fact: Fact): void;
  end(): void;
}

export interface AskingPlace {
  keyboard: Keyboard;
  progress: Pick<Progress, "say" | "prompt">;
  coordinator: Pick<Coordinator, "decideApproval">;
  now(): number;
}

type Question = FactData<"approval.requested">;

interface Shown {
  question: Question;
  at: number;
  /** An answer that was given waits for its place in the log. */
  step: "choice" | "note" | "answered";
}

/** What was typed before a question could be read is no answer to it. */
const unreadMs = 250;

export function askInPlace(place: AskingPlace): AskInPlace {
  const asking = new Asking(place);
  return {
    take(fact) {
      if (fact.type === "approval.requested") asking.add(fact.data);
      if (fact.type === "approval.resolved") asking.remove(fact.data.approval_id);
    },
    end: () => asking.end(),
  };
}

/** Shows each question to whoever may not answer it, with what those do who may. */
export function showInPlace({ say }: Pick<Progress, "say">): AskInPlace {
  return {
    take(fact) {
      if (fact.type !== "approval.requested") return;
      for (const line of [...questionLines(fact.data), elsewhere(fact.data.approval_id)]) say(line);
    },
    end() {},
  };
}

function elsewhere(id: string): string {
  return `  your token cannot answer; whoever has one with the scope approve: sheaf approve ${shortId(id)}`;
}

class Asking {
  readonly #place: AskingPlace;
  #queue: Question[] = [];
  #shown: Shown | undefined;
  #letGo: (() => void) | undefined;
  #isOver = false;

  constructor(place: AskingPlace) {
    this.#place = place;
  }

  add(question: Question): void {
    if (this.#isOver) return;
    this.#queue.push(question);
    this.#showNext();
  }

  remove(id: string): void {
    this.#queue = this.#queue.filter((each) => each.approval_id !== id);
    if (this.#shown?.question.approval_id === id) this.#close();
  }

  end(): void {
    this.#isOver = true;
    this.#queue = [];
    this.#close();
    this.#letGo?.();
    this.#letGo = undefined;
  }

  #showNext(): void {
    const [question] = this.#queue;
    if (!question || this.#shown) return;
    this.#queue.shift();
    const { keyboard, progress, now } = this.#place;
    for (const line of questionLines(question)) progress.say(line);
    this.#shown = { question, at: now(), step: "choice" };
    progress.prompt(promptOf(this.#shown));
    this.#letGo ??= keyboard.listen((line) => this.#hear(line));
  }

  #close(): void {
    this.#shown = undefined;
    this.#place.progress.prompt(undefined);
    this.#showNext();
  }

  #hear(line: string | undefined): void {
    if (line === undefined) this.#leave();
    else if (this.#shown && this.#shown.step !== "answered") this.#read(line.trim(), this.#shown);
  }

  #read(line: string, shown: Shown): void {
    const isRead = this.#place.now() - shown.at >= unreadMs;
    const answer = shown.step === "note" ? noted(line) : answers[line.toLowerCase()];
    if (isRead && answer) {
      shown.step = "answered";
      this.#answer(shown.question, answer);
      return;
    }
    if (isRead && line.toLowerCase() === "d") shown.step = "note";
    this.#place.progress.prompt(promptOf(shown));
  }

  #answer(question: Question, answer: ApprovalAnswer): void {
    const { coordinator, progress } = this.#place;
    const id = question.approval_id;
    progress.prompt(undefined);
    coordinator
      .decideApproval(id, answer, "operator")
      .then((decided) => {
        if (decided.kind === "settled") progress.say(tooLate(decided.approval).message);
        if (decided.kind === "unknown") progress.say(`${shortId(id)} is not there any more`);
        if (decided.kind !== "decided") this.remove(id);
      })
      .catch((thrown: unknown) => {
        progress.say(`warning ${shortId(id)} could not be answered: ${oneLine(toFailure(thrown).message)}`);
        progress.say(`        it still waits; from elsewhere: sheaf approve ${shortId(id)}`);
        this.remove(id);
      });
  }

  /** Nobody types here any more; others still can. */
  #leave(): void {
    const open = [...(this.#shown ? [this.#shown.question] : []), ...this.#queue];
    this.end();
    for (const { approval_id: id } of open) {
      this.#place.progress.say(`nobody can be asked here; from elsewhere: sheaf approve ${shortId(id)}`);
    }
  }
}

function promptOf({ question, step }: Shown): string {
  const id = shortId(question.approval_id);
  return step === "note" ? `${id}  what the agent is told > ` : `${id}  y once, a always, n no, d no with a note > `;
}

const answers: Readonly<Record<string, ApprovalAnswer>> = {
  y: { decision: "allow" },
  yes: { decision: "allow" },
  a: { decision: "allow", remember: true },
  n: { decision: "deny" },
  no: { decision: "deny" },
};

function noted(line: string): ApprovalAnswer {
  return { decision: "deny", ...(line === "" ? {} : { note: line.slice(0, 1_000) }) };
}
