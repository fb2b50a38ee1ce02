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

/** `id` is what people see in a denial, normally the text they wrote: `Edit(src/**)`. */
const identified = { id: z.string() };

/** About files. Edit covers write and delete; a deny of Read blocks Edit too. */
const pathRule = z.object({ ...identified, tool: z.enum(["Read", "Edit"]), paths: pathPattern });
export type PathRule = z.infer<typeof pathRule>;
export type PathTool = PathRule["tool"];

/**
 * About a command: its first words. Without `words` it is bare `Bash`, which any command is. `isWhole`: nothing may
 * follow them.
 */
const commandRule = z.object({
  ...identified,
  tool: z.literal("Bash"),
  words: z.array(z.string()).min(1).optional(),
  isWhole: z.boolean().optional(),
});
export type CommandRule = z.infer<typeof commandRule>;

/** `*.example.com` covers every name below it and not the apex. Without a domain: every host. */
const domainRule = z.object({ ...identified, tool: z.literal("WebFetch"), domain: z.string().optional() });
export type DomainRule = z.infer<typeof domainRule>;

/** Whom an agent may start; without a name: any. */
const agentRule = z.object({ ...identified, tool: z.literal("Agent"), name: z.string().optional() });
export type AgentRule = z.infer<typeof agentRule>;

/** `mcp__server__name`; without a name every tool of that server. */
const mcpRule = z.object({ ...identified, tool: z.literal("Mcp"), server: z.string(), name: z.string().optional() });
export type McpRule = z.infer<typeof mcpRule>;

/** One parsed rule. */
export const rule = z.discriminatedUnion("tool", [pathRule, commandRule, domainRule, agentRule, mcpRule]);
export type Rule = z.infer<typeof rule>;
const ruleTool = z.enum(["Read", "Edit", "Bash", "WebFetch", "Agent", "Mcp"]);
export type RuleTool = z.infer<typeof ruleTool>;

/** One voice in a scope: task, job, step, agent or operator. Without `allow` it limits nothing, and grants nothing. */
export const scopeLayer = z.object({
  source: z.string(),
  allow: z.array(rule).optional(),
  /** The tools that `allow` is all of; absent means of every tool. Of others it says nothing. */
  limits: z.array(ruleTool).optional(),
  ask: z.array(rule).optional(),
  deny: z.array(rule),
});
export type ScopeLayer = z.infer<typeof scopeLayer>;

/** What becomes of a call that no rule speaks of: somebody is asked, or it is denied. `plan` denies every effect. */
export const permissionMode = z.enum(["ask", "deny", "plan"]);
export type PermissionMode = z.infer<typeof permissionMode>;

/**
 * What a run may touch. Every layer must allow (so adding a layer can only narrow), any layer's deny ends it, and any
 * layer's ask makes it a question. `tools` are the tools offered to the model. `grantable` is what it may give to an
 * agent that it starts, which need not be what it holds itself; absent means its own layers.
 */
export const scope = z.object({
  layers: z.array(scopeLayer),
  tools: z.array(z.string()),
  mode: permissionMode.optional(),
  grantable: z.array(scopeLayer).optional(),
});
export type Scope = z.infer<typeof scope>;

/** The answer to "may this run do that?", with the rule that gave it. */
export const decision = z.object({
  effect: z.enum(["allow", "ask", "deny"]),
  /** The id of the deciding rule, or `no rule` where nothing matched, or `protected`, `outside`, `symlink`, `shell`. */
  rule: z.string(),
  source: z.string(),
  reason: z.string(),
});
export type Decision = z.infer<typeof decision>;
