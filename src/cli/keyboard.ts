import { isatty } from "node:tty";

/** Whoever sits at the terminal, line by line. Nothing is read before somebody listens. */
export interface Keyboard {
  /** Calls back with each line, and with undefined once nobody can type any more. Answers a function that lets go. */
  listen(hear: (line: string | undefined) => void): () => void;
}

/** undefined where standard input is no terminal. */
export function openKeyboard(stdin: () => NodeJS.ReadableStream): Keyboard | undefined {
  return isatty(0) ? keyboardOf(stdin) : undefined;
}

/** A line no person types; what is longer is left out. */
const mostCharacters = 4_096;

/** Exported for its test, which has no terminal. */
export function keyboardOf(stdin: () => NodeJS.ReadableStream): Keyboard {
  return {
    listen(hear) {
      const stream = stdin();
      let rest = "";
      const take = (chunk: Buffer | string) => {
        const lines = (rest + chunk.toString()).split("\n");
        rest = (lines.pop() ?? "").slice(0, mostCharacters);
        for (const line of lines) hear(line.slice(0, mostCharacters).trim());
      };
      const end = () => hear(undefined);
      stream.on("data", take).once("end", end).once("error", end);
      stream.resume();
      return () => {
        stream.off("data", take).off("end", end).off("error", end);
        stream.on("error", () => {});
        stream.pause();
        // It would keep the process alive.
        if ("unref" in stream && typeof stream.unref === "function") stream.unref();
      };
    },
  };
}
