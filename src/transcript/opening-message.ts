import type { Message } from "../protocol/message.ts";
import type { Note, Turn } from "./turn-messages.ts";

/**
 * The first message: what all runs of a job share, as a block of its own that a cache can end with, then what is this
 * run's alone. It is never left out; what was said to the agent in a turn that is, it takes over.
 */
export interface OpeningMessage {
  message(): Message;
  note(note: Note): void;
  /** Keeps what must outlive a turn that is left out. */
  takeOver(turn: Turn): void;
  /** Characters. */
  size(): number;
}

export function createOpening(brief: string, prompt: string): OpeningMessage {
  const notes: string[] = [];
  const inherited: string[] = [];
  let leftOut = 0;
  let made: Message | undefined;
  const texts = () => {
    const gap = leftOut > 0 ? [gapText(leftOut)] : [];
    const all = [brief, prompt, ...notes, ...gap, ...inherited].filter((text) => text.trim() !== "");
    return all.length > 0 ? all : ["Begin."];
  };
  return {
    message() {
      made ??= { role: "user", content: texts().map((text) => ({ type: "text", text })) };
      return made;
    },
    note({ text }) {
      made = undefined;
      notes.push(text);
    },
    takeOver(turn) {
      made = undefined;
      leftOut += 1;
      inherited.push(...turn.lasting());
    },
    size: () => texts().reduce((sum, text) => sum + text.length, 0),
  };
}

function gapText(turns: number): string {
  const what = turns === 1 ? "Your first turn is" : `Your first ${turns} turns are`;
  return `[${what} left out here to make room. The files are as you left them: read again what you need.]`;
}
