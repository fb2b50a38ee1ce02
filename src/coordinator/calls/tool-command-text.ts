import { describeEnding } from "../../sandbox/command-ending.ts";
import type { CommandOutcome } from "../../sandbox/driver.ts";
import type { PutBack } from "../../workspace/settle.ts";

/** What a model sees of a command. Pure. */
export function showCommand(told: {
  /** Absent where the run's end was the command's. */
  seen: CommandOutcome | undefined;
  putBack: readonly PutBack[];
  /** As `shownOutput` gives it. */
  output: string;
}): string {
  const { seen, putBack, output } = told;
  const ending = seen ? describeEnding(seen) : "stopped: the run is over";
  return [ending, ...(output === "" ? [] : [output.replace(/\n$/, "")]), ...showPutBack(putBack)].join("\n");
}

/** Characters of the beginning and of the end. Together with what else is said they stay below the cap on results. */
const headCharacters = 10_000;
const tailCharacters = 18_000;

/** The output where it is short enough, else its beginning and end, with what it takes to see the rest. */
export function shownOutput(output: string, sha256: string): string {
  const left = output.length - headCharacters - tailCharacters;
  if (left <= 0) return output.toWellFormed();
  const head = output.slice(0, headCharacters).toWellFormed();
  const gap = `[${left} characters left out; read {"file_path": "artifact:${sha256}"} shows them, page by page]`;
  return `${head}\n${gap}\n${output.slice(-tailCharacters).toWellFormed()}`;
}

const mostNamed = 20;

function showPutBack(putBack: readonly PutBack[]): string[] {
  if (putBack.length === 0) return [];
  const named = putBack.slice(0, mostNamed).map(({ path, reason, rule }) => {
    return `- ${JSON.stringify(path).slice(0, 300)}: ${reason.slice(0, 300)} (rule ${rule})`;
  });
  const more = putBack.length - named.length;
  const files = putBack.length === 1 ? "1 change was" : `${putBack.length} changes were`;
  return [
    `Denied: ${files} outside what this task may edit, and put back as before the command:`,
    ...named,
    ...(more > 0 ? [`- and ${more} more`] : []),
  ];
}
