import { z } from "zod";
import { defineTool, failed } from "./tool.ts";

/** Its description names the agents that a run may start, so that one comes with each run's order. */
export const agent = defineTool({
  name: "agent",
  description: "Starts another agent on a part of this task and waits for its end.",
  input: z.strictObject({
    name: z.string().min(1).max(100).describe("Which agent"),
    prompt: z
      .string()
      .min(1)
      .max(40_000)
      .describe("What it is to do. It sees the files as they are now, and nothing of this conversation"),
    writes: z
      .array(z.string().min(1).max(4_096))
      .max(1_000)
      .optional()
      .describe("Globs of what it may edit, at most what may be given to it; left out: all of that"),
  }),
  effect: "outside",
  paths: () => [],
  outside: ({ name, prompt, writes }) => ({ kind: "agent", name, prompt, ...(writes ? { writes } : {}) }),
  async run() {
    return failed("only the coordinator starts agents");
  },
});
