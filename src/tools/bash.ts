import { z } from "zod";
import { defineTool, failed } from "./tool.ts";

const defaultMs = 2 * 60 * 1000;
const mostMs = 30 * 60 * 1000;
/** One argument of a program may have 128 KiB, and a character up to three bytes. */
const mostCharacters = 40_000;

export const bash = defineTool({
  name: "bash",
  description:
    "Runs one bash command line in a whole checkout of the repository (the current directory), with your edits in it, " +
    "in a sandbox: there is no network unless the task was given some, nothing outside the checkout can be changed, " +
    "and /tmp, the home folder and processes left behind are gone afterwards. What it changes outside the files that " +
    "you may edit is put back, and you are told so. Git can be asked, not changed: do not commit. Of an output over " +
    "28,000 characters you see both ends, and how to read the rest. Paths that it prints are below its current directory; " +
    "other tools want them relative to it.",
  input: z.strictObject({
    command: z
      .string()
      .min(1)
      .max(mostCharacters)
      .refine((text) => text.isWellFormed() && !text.includes("\0"), { error: "holds a character no command can" })
      .describe("The command line"),
    timeout_ms: z
      .number()
      .int()
      .min(1)
      .max(mostMs)
      .optional()
      .describe(`Time after which it is killed, in milliseconds; default ${defaultMs}, at most ${mostMs}`),
  }),
  effect: "outside",
  paths: () => [],
  outside: ({ command: text, timeout_ms: timeoutMs = defaultMs }) => ({ kind: "command", text, timeoutMs }),
  async run() {
    return failed("only the coordinator runs commands");
  },
});
