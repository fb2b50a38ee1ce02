import { limited } from "./limits.ts";
import type { SandboxLimits } from "./open-sandbox.ts";

/**
 * The words that bubblewrap starts. It takes 9,000 of them and its own; a longer list is written down for a shell as
 * words in quotes, which that shell does nothing with but hand on.
 */
export interface Words {
  words: readonly string[];
  /** What has to lie in the file `listPlace`. */
  list?: string;
}

export const listPlace = "/run/words";
const mostWords = 8_000;

/** `prefix` is a program that starts the words behind it. */
export function commandWords(run: string | readonly string[], limits: SandboxLimits, prefix: readonly string[]): Words {
  const limitedTo = (words: readonly string[]) => limited([...prefix, ...words], limits);
  if (typeof run === "string") return { words: limitedTo(["/bin/sh", "-c", run]) };
  if (run.length <= mostWords) return { words: limitedTo(run) };
  const quoted = run.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  return { words: limitedTo(["/bin/sh", listPlace]), list: `exec ${quoted.join(" ")}\n` };
}

/** The program that was not there or could not be run, where that is all that was said. */
export function isUnstarted(
  run: string | readonly string[],
  { exit, output }: { exit: number | null; output: Buffer },
): boolean {
  if (typeof run === "string" || (exit !== 126 && exit !== 127) || output.length > 10_000) return false;
  const said = output.toString();
  const isLimiters = said.startsWith(`prlimit: failed to execute ${run[0]}: `);
  const isShells = /^\/run\/words: (line )?1: /.test(said);
  return (isLimiters || isShells) && said.indexOf("\n") === said.length - 1;
}
