import { z } from "zod";

/** Which repository paths a rule speaks of. Paths are relative to the repository root, `/`-separated. */
export const pathPattern = z.union([
  /** gitignore style, as a person writes it. */
  z.object({ glob: z.string() }),
  /** Exactly these files: what a split gives a task. Names may hold any character. */
  z.object({ files: z.array(z.string()) }),
  /** Everything below these directories; "" is the whole repository. */
  z.object({ directories: z.array(z.string()) }),
]);
export type PathPattern = z.infer<typeof pathPattern>;

export const ruleTool = z.enum(["Read", "Edit"]);
export type RuleTool = z.infer<typeof ruleTool>;

/** One parsed rule. `id` is what people see in a denial, normally the text they wrote: `Edit(src/**)`. */
export const rule = z.object({ id: z.string(), tool: ruleTool, paths: pathPattern });
export type Rule = z.infer<typeof rule>;

/** One voice in a scope: operator, job, task or agent. */
export const scopeLayer = z.object({ source: z.string(), allow: z.array(rule), deny: z.array(rule) });
export type ScopeLayer = z.infer<typeof scopeLayer>;

/**
 * What a run may touch. Every layer must allow (so adding a layer can only narrow), and any layer's deny ends it.
 * `tools` are the tools offered to the model.
 */
export const scope = z.object({ layers: z.array(scopeLayer), tools: z.array(z.string()) });
export type Scope = z.infer<typeof scope>;

/** The answer to "may this run do that?", with the rule that gave it. */
export const decision = z.object({
  effect: z.enum(["allow", "deny"]),
  /** The id of the deciding rule, or `no rule` where nothing matched, or `protected`, `outside`, `symlink`. */
  rule: z.string(),
  source: z.string(),
  reason: z.string(),
});
export type Decision = z.infer<typeof decision>;
