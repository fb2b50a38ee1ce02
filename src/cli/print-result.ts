import type { Result } from "../protocol/result.ts";
import type { Terminal } from "./terminal.ts";
import { renderVerdict } from "./verdict.ts";

/** The result alone on stdout, in the format that was asked for. */
export function printResult(result: Result, format: string, terminal: Terminal): void {
  if (format === "json") terminal.print(JSON.stringify(result, null, 2));
  else if (format === "stream-json") terminal.print(JSON.stringify({ type: "result", result }));
  else for (const line of renderVerdict(result, terminal, { isFull: false })) terminal.print(line);
}
