import { z } from "zod";

/** How a job is cut into tasks. */

/** Which files a split is about: all that is given must hold. `regex` and `pattern` look at the text of a file. */
export const matcher = z.object({
  glob: z.string().optional(),
  /** JavaScript, flags `mu`. */
  regex: z.string().optional(),
  /** An ast-grep pattern; `language` where the file's name does not say. */
  pattern: z.string().optional(),
  language: z.string().optional(),
});
export type Matcher = z.infer<typeof matcher>;

/** `files`: most files of one task; `tasks`: most tasks; absent means sized for the threads. `match` narrows the files. */
const cut = {
  files: z.number().int().min(1).optional(),
  tasks: z.number().int().min(1).optional(),
  match: matcher.optional(),
};

export const split = z.discriminatedUnion("by", [
  z.object({ by: z.literal("none"), match: matcher.optional() }),
  z.object({ by: z.literal("files"), ...cut }),
  z.object({ by: z.literal("directory"), ...cut }),
  /** A task for each package of the repository, by its manifests. */
  z.object({ by: z.literal("workspace"), ...cut }),
  /** Like `files`, over those that match. */
  z.object({ by: z.literal("match"), ...cut, match: matcher }),
  /** A task for each owner in CODEOWNERS. */
  z.object({ by: z.literal("owner"), ...cut }),
  /** The files in which the check of that name finds something at the base. */
  z.object({ by: z.literal("findings"), of: z.string(), ...cut }),
  /** An agent that studies the repository says which tasks there are; it may not exceed `tasks`, and covers `match`. */
  z.object({ by: z.literal("planner"), tasks: cut.tasks, match: cut.match }),
  /** Each item is a file, a directory or a glob, and becomes one task. */
  z.object({ by: z.literal("list"), items: z.array(z.string()), ...cut }),
]);
export type Split = z.infer<typeof split>;
