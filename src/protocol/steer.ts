import { z } from "zod";
import { taskId } from "./ids.ts";

/** Most characters that are said to an agent at once. */
export const mostSteered = 8_000;

/** What somebody says to the agents of a running job: to all, or to those of one task. */
export const steering = z.strictObject({
  text: z
    .string()
    .max(mostSteered, { error: `it has more than ${mostSteered} characters` })
    .refine((text) => text.trim() !== "", { error: "there is nothing in it" })
    .refine((text) => text.isWellFormed() && !text.includes("\0"), { error: "holds a character no text can" }),
  task: taskId.optional(),
});
export type Steering = z.infer<typeof steering>;

/** Who will read it with the next request: ids of the tasks that have not ended. */
export const steered = z.object({ tasks: z.array(z.string()) });
export type Steered = z.infer<typeof steered>;
