import { z } from "zod";

/** What `sheaf run` lets the command line say in the place of the job file, as it was typed. */
export const overrides = z.strictObject({
  check: z.array(z.string()).max(100).optional(),
  concurrency: z.string().optional(),
  timeout: z.string().optional(),
  publish: z.string().optional(),
  model: z.string().optional(),
  maxUsd: z.string().optional(),
  maxTokens: z.string().optional(),
  maxTurns: z.string().optional(),
  sample: z.string().optional(),
  only: z.string().optional(),
  permissionMode: z.string().optional(),
});
