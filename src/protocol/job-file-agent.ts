import { z } from "zod";
import { writtenAgentLimits } from "./job-file-limits.ts";
import { modelText } from "./job-file-model.ts";
import { promptText } from "./job-file-step.ts";
import { key } from "./written-key.ts";
import { writtenRules } from "./written-rule.ts";
import { repositoryFile, text } from "./written-text.ts";

/** An agent of a job file as people write it: a file of the repository, or its instructions. */

const toolName = z.string().superRefine((written, context) => {
  if (/^[A-Za-z]+$|^mcp__[\w-]+$/.test(written)) return;
  const message = `${JSON.stringify(written.slice(0, 80))} is no name of a tool; write Read, and rules such as Read(src/**) under allow`;
  context.addIssue({ code: "custom", message });
});

export const writtenAgent = z
  .strictObject({
    use: key(repositoryFile, "an agent file of the repository, read at the commit the job starts from", "none"),
    description: key(text({ most: 2_000 }), "what it is good for, told to whoever may start it", "its file's, or none"),
    model: key(modelText, "sonnet, opus, haiku or the id of a model", "its file's, or the job's model"),
    prompt: key(promptText, "its instructions, before what a step asks; inputs are filled in", "none"),
    tools: key(
      z.array(toolName).min(1).max(100),
      "tools it is offered, by the names of agent files: Read, Grep, Edit, Bash",
      "all that its rules could allow",
    ),
    allow: key(writtenRules, "rules that narrow what its tasks may do", "all that its task may"),
    deny: key(writtenRules, "what it may not do", { is: [] }),
    limits: key(writtenAgentLimits, "what one run of it may take: { usd, tokens, turns, time }", "none"),
  })
  .superRefine((written, context) => {
    const refused = written.use === undefined ? undefined : refusedBeside(written);
    if (refused) context.addIssue({ code: "custom", ...refused });
  });
export type WrittenAgent = z.infer<typeof writtenAgent>;

/** The file has all of these already. */
function refusedBeside({ prompt, allow, tools }: { prompt?: unknown; allow?: unknown; tools?: unknown }) {
  if (prompt !== undefined) return { message: "use brings its own prompt; leave this out", path: ["prompt"] };
  if (tools !== undefined) return { message: "use brings its own tools; leave this out", path: ["tools"] };
  if (allow === undefined) return undefined;
  return { message: "use says in its tools what it may do; write allow at the step", path: ["allow"] };
}
