import { submission } from "../protocol/claim.ts";
import { defineTool } from "./tool.ts";

export const submit = defineTool({
  name: "submit",
  description:
    "Ends the task: a summary of what was done, claims about it, and every place that was seen and left alone, with " +
    "the reason. Set refused, with the reason, when the work was declined as a whole.",
  input: submission,
  effect: "none",
  paths: () => [],
  async run(said) {
    return { content: said.refused === undefined ? "submitted" : "submitted as refused", submission: said };
  },
});
