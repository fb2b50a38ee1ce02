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

/** Ids of the calls whose receipts show it. */
const receipts = z.array(z.string().max(200)).max(100).optional();
const path = z.string().max(4_096);
const text = z.string().max(1_000);

/** What an agent says is true of its work, by kind, so that code can compare it with receipts and trees. */
const typedClaim = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tests_pass"), command: text.optional(), receipts }),
  z.object({ kind: z.literal("check_ok"), check: text, receipts }),
  z.object({ kind: z.literal("changed"), path, receipts }),
  z.object({ kind: z.literal("only_touched"), paths: z.array(path).max(1_000), receipts }),
  z.object({ kind: z.literal("command_run"), command: text, exit: z.number().int().optional(), receipts }),
  z.object({ kind: z.literal("read"), path, receipts }),
  z.object({ kind: z.literal("count"), of: text, count: z.number().int(), receipts }),
  z.object({ kind: z.literal("absent"), pattern: text, in: path.optional(), receipts }),
  z.object({ kind: z.literal("fixed"), what: text, receipts }),
  z.object({ kind: z.literal("no_test_weakened"), receipts }),
  z.object({ kind: z.literal("done"), criteria: text, receipts }),
]);

/** A sentence alone is a claim that nothing can be compared with. */
export const claim = z.union([z.string().max(1_000), typedClaim]);

/** What an agent says of its own work. */
export const submission = z.object({
  summary: z.string().max(16_000),
  claims: z.array(claim).max(100).optional(),
  leftovers: z.array(leftover).max(100_000).optional(),
  /** Set when the work was declined as a whole, with the reason. */
  refused: z.string().max(4_000).optional(),
});
export type Submission = z.infer<typeof submission>;
