import { z } from "zod";

/** A thing a recipe or an agent saw, should have changed by its brief, and did not: place and reason. */
export const leftover = z.object({
  path: z.string(),
  /** 1-based. */
  line: z.number().int().min(1),
  column: z.number().int().min(1),
  text: z.string(),
  reason: z.string(),
});
export type Leftover = z.infer<typeof leftover>;

/** What an agent says of its own work. Typed claims with receipts are a later issue; here a claim is a sentence. */
export const submission = z.object({
  summary: z.string().max(16_000),
  claims: z.array(z.string().max(1_000)).max(100).optional(),
  leftovers: z.array(leftover).max(100_000).optional(),
  /** Set when the work was declined as a whole, with the reason. */
  refused: z.string().max(4_000).optional(),
});
export type Submission = z.infer<typeof submission>;
