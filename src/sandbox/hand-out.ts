import type { Writable } from "node:stream";
import type { Command } from "./driver.ts";
import type { Printed } from "./follow-child.ts";

interface Pipes extends Printed {
  stdin: Writable | null;
}

/**
 * Hands a command's standard input and output to whoever speaks with it, and returns what is left to be kept: then its
 * standard error alone.
 */
export function handOut({ talk }: Pick<Command, "talk">, { stdin, stdout, stderr }: Pipes): Printed {
  if (!talk || !stdin || !stdout || !stderr) return { stdout, stderr };
  stdin.on("error", () => {});
  stdout.on("error", () => {});
  talk({ stdin, stdout, stderr });
  return { stdout: null, stderr, left: [stdout] };
}
