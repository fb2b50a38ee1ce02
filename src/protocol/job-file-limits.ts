import { z } from "zod";
import { duration } from "./duration.ts";
import { key } from "./written-key.ts";

/** What a job, a task or one agent may take, as people write it. Money is USD. */

const usd = z.number().min(0).max(1_000_000);
const tokens = z.int().min(1).max(1_000_000_000_000);
const turns = z.int().min(1).max(10_000);

const ofTask = z.strictObject({
  usd: key(usd, "money for the models of one task, in USD", "none"),
  tokens: key(tokens, "tokens of one task, read and written", "none"),
});

export const writtenLimits = z.strictObject({
  concurrency: key(z.int().min(1).max(10_000), "most tasks at the same time", "by the threads"),
  time: key(duration, "for the whole job", { is: "45m" }),
  idle: key(duration, "for a run that does nothing", { is: "5m" }),
  usd: key(usd, "money for the models of the whole job, in USD", "5 where the models have a known price"),
  tokens: key(tokens, "tokens of the whole job, read and written", "none"),
  turns: key(turns, "most turns of one run of an agent", { is: 40 }),
  depth: key(z.int().min(1).max(2), "2: agents may start agents, by Agent(name) rules; 1: they may not", { is: 1 }),
  agents: key(z.int().min(1).max(1_000), "most agents that one run may start", { is: 8 }),
  task: key(ofTask, "the same for each task: { usd, tokens }", "none"),
});
export type WrittenLimits = z.infer<typeof writtenLimits>;

/** Of each run of one agent. */
export const writtenAgentLimits = z.strictObject({
  usd: key(usd, "money for one run of it, in USD", "none"),
  tokens: key(tokens, "tokens of one run of it, read and written", "none"),
  turns: key(turns, "most turns of one run of it", "the job's"),
  time: key(duration, "for one run of it", "none"),
});
export type WrittenAgentLimits = z.infer<typeof writtenAgentLimits>;
