import { z } from "zod";
import { overrides } from "./overrides.ts";
import { planLock } from "./plan-lock.ts";

/**
 * A job as it travels: the job file with everything it names inlined, and where its repository is. Nothing in it is
 * resolved; whoever takes it reads it as it would read the file.
 */
export const jobRequest = z.strictObject({
  /** The job file as JSON, as it was written. */
  job: z.record(z.string(), z.unknown()),
  /** Where the file gives no name. */
  name: z.string().min(1).max(64).optional(),
  /** Texts of the rule, script and agent files it names, by the name it uses. */
  files: z.record(z.string().max(4_096), z.string()).optional(),
  /** Values of its inputs. */
  inputs: z.record(z.string().max(64), z.string().max(100_000)).optional(),
  /** What `sheaf run` lets the command line say in the place of the file. */
  overrides: overrides.optional(),
  /** Commands among its checks that nobody asked for: each goes where it cannot be run at the base. */
  found_checks: z.array(z.string().max(16_000)).max(100).optional(),
  /** It ends with its plan, which its result holds. */
  plan_only: z.boolean().optional(),
  /** Does again what was done before: all of it, or the tasks of these ids. */
  fresh: z.union([z.literal(true), z.array(z.string().max(200)).max(10_000)]).optional(),
  /** A plan made before, which is executed as it is: the job is refused where what it stands on has changed. */
  lock: planLock.optional(),
  repository: z.union([
    /** A folder of the server's machine, below one of its roots. */
    z.strictObject({ path: z.string().min(1).max(4_096) }),
    /** Fetched by the server, if its operator allows that address. */
    z.strictObject({ url: z.string().min(1).max(4_096) }),
    /** A git bundle that was put to /v1/bundles/{sha256}. */
    z.strictObject({ bundle: z.string().regex(/^[0-9a-f]{64}$/) }),
  ]),
  /** Branch, tag or commit to start from; HEAD where nothing is said. */
  ref: z.string().min(1).max(1_000).optional(),
  /** Exactly this commit, whatever `ref` has become; `ref` is then only what people read. */
  commit: z
    .string()
    .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)
    .optional(),
  /** The commit holds what was not committed in the asker's working files. */
  is_dirty: z.boolean().optional(),
});
export type JobRequest = z.infer<typeof jobRequest>;
