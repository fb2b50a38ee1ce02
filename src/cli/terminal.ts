import { styleText } from "node:util";
import type { Keyboard } from "./keyboard.ts";

/** Where a command writes: the result on stdout and nothing else; progress, warnings and errors on stderr. */
export interface Terminal {
  /** A line of the result. */
  print(line: string): void;
  /** Bytes of the result as they are: a patch. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** A line about what is going on. */
  tell(line: string): void;
  /** stderr is a terminal that can be redrawn, and nobody set CI. */
  readonly isLive: boolean;
  readonly columns: number;
  /** Raw text to stderr, for redrawing. */
  draw(text: string): void;
  style(style: Style, text: string): string;
  /** Whoever can be asked something: absent where nobody sits, or CI is set. */
  readonly keyboard?: Keyboard | undefined;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export interface TerminalOptions {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  isCi: boolean;
  noColor: boolean;
  /** Where a person may type; absent, nobody is asked anything. */
  keyboard?: Keyboard | undefined;
}

export function openTerminal({ stdout, stderr, isCi, noColor, keyboard }: TerminalOptions): Terminal {
  const hasColor = !noColor && stderr.isTTY === true && stdout.isTTY === true;
  // A reader that went away (`| head`) is not an error of ours.
  stdout.on("error", ignoreBrokenPipe);
  stderr.on("error", ignoreBrokenPipe);
  const isLive = stderr.isTTY === true && !isCi;
  return {
    print: (line) => void stdout.write(`${line}\n`),
    write: (bytes) => new Promise((resolve) => stdout.write(bytes, () => resolve())),
    tell: (line) => void stderr.write(`${line}\n`),
    isLive,
    ...(isLive && keyboard ? { keyboard } : {}),
    get columns() {
      return stderr.columns || 100;
    },
    draw: (text) => void stderr.write(text),
    style: (style, text) => (hasColor ? styleText(style, text, { validateStream: false }) : text),
  };
}

function ignoreBrokenPipe(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}
