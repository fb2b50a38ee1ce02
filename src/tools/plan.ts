import { plannedJob } from "../protocol/plan.ts";
import { defineTool } from "./tool.ts";

/**
 * A planner's last word. Whether the plan can be carried out is not decided here: the coordinator answers the call before
 * this runs, and a plan that it refuses never gets here.
 */
export const plan = defineTool({
  name: "plan",
  description:
    "Hands in the plan and ends the planning. Each task has an id (letters, digits, . _ -), a title, the goal that its " +
    "agent is asked, and writes: gitignore-style globs of all it may edit, from the repository root; a file that it is " +
    "to make is named by its own path. Tasks run side by side, so writes of two tasks may only overlap where one needs " +
    "the other. reads: where it should look first. checks: commands that must be green on its own tree. A plan that " +
    "cannot be carried out comes back with every problem; correct all of them and hand it in once more.",
  input: plannedJob,
  effect: "none",
  paths: () => [],
  async run({ summary, tasks }) {
    return { content: `the plan is taken: ${tasks.length} tasks`, submission: { summary } };
  },
});

/** What a planner is offered: it reads, and plans. */
export const plannerTools: readonly string[] = ["read", "list", "glob", "grep", plan.name];
