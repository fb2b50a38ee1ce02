import { z } from "zod";
import { decision } from "./scope.ts";

/** Why a call would be allowed, asked about or denied: the decision, and what each voice in the scope says of it. */
export const explanation = decision.extend({
  /** As it was asked: `Bash(npm test)`. */
  call: z.string(),
  task: z.string().optional(),
  agent: z.string().optional(),
  /** In the order of the scope. `rule` is the one that speaks; absent where none of that layer does. */
  layers: z.array(
    z.object({
      source: z.string(),
      effect: z.enum(["allow", "ask", "deny", "silent"]),
      rule: z.string().optional(),
    }),
  ),
  /** The rule that would allow it, where one could. */
  suggestion: z.string().optional(),
});
export type Explanation = z.infer<typeof explanation>;
