import { parseArgs } from "node:util";
import { askDirectly } from "./ask-directly.ts";
import { runGoal } from "./run-goal.ts";

/**
 * `npm run smoke:live -- --model MODEL --max-usd USD`: the same code as ever, against a real endpoint. It spends money and
 * depends on what a model says, so nothing runs it but a person who asks for it.
 */
const { values } = parseArgs({
  options: { model: { type: "string", default: "haiku" }, "max-usd": { type: "string", default: "0.50" } },
});

if (!process.env.ANTHROPIC_API_KEY && !process.env.ANTHROPIC_AUTH_TOKEN && !process.env.ANTHROPIC_BASE_URL) {
  console.error("set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a server of your own (docs/models.md)");
  process.exitCode = 64;
} else {
  const isWell = (await askDirectly(values.model)) && (await runGoal(values.model, values["max-usd"]));
  if (!isWell) process.exitCode = 1;
}
