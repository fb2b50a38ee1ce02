import { z } from "zod";
import type { Contained } from "../files/contain.ts";
import type { Files } from "../files/files.ts";
import type { Submission } from "../protocol/claim.ts";
import type { ChangedFile, Pointer } from "../protocol/run-fact.ts";
import type { Decision, PathTool } from "../protocol/scope.ts";
import type { Asking } from "./asking.ts";

/**
 * What a tool is: a name and a schema for a model, the paths a call is about, and the deed. A tool never decides
 * whether it may run, and is run only on paths that were decided.
 */
export interface ToolDefinition<Input> {
  name: string;
  /** For a model. */
  description: string;
  input: z.ZodType<Input>;
  /** What a model is shown of the input, where the whole of it would be hard to read. It promises nothing more. */
  shown?: z.ZodType;
  effect: Effect;
  /** What the decision is about, as the model wrote it. */
  paths(input: Input): readonly Asked[];
  /** The link itself is meant, not what it points to. */
  isAboutLinks?: boolean;
  /** Looks at a directory in which only some names may be read, and shows only those. */
  isBrowsing?: boolean;
  /** What the coordinator is to do, where that is not done in a thread; such a tool is never run here. */
  outside?(input: Input): OutsideCall;
  run(input: Input, context: RunContext): Promise<ToolOutcome>;
}

/**
 * An edit is acknowledged by the coordinator before it happens; a read is decided in the thread; what is `outside` is
 * decided and done by the coordinator.
 */
export type Effect = "read" | "edit" | "outside" | "none";

/** What leaves the thread: a command line, an agent to be started, a tool of a server. */
export type OutsideCall =
  | { kind: "command"; text: string; timeoutMs: number }
  /** `writes` are globs, as the model wrote them: what the agent may edit at most. */
  | { kind: "agent"; name: string; prompt: string; writes?: readonly string[] }
  | { kind: "server"; server: string; name: string; input: Readonly<Record<string, unknown>> };

export interface Asked {
  tool: PathTool;
  path: string;
}

export interface RunContext {
  files: Files;
  /** Where the paths of the call lead, in their order. */
  at: readonly Contained[];
  asking: Asking;
  objectFormat: "sha1" | "sha256";
  isCaseInsensitive: boolean;
  /** For what is found only while a tool runs. */
  mayEdit(path: string): Decision;
  mayRead(path: string, kind: "file" | "directory"): boolean;
  /** Whether a directory may hold something readable. */
  mayEnter(directory: string): boolean;
}

export interface ToolOutcome {
  /** What the model sees. */
  content: string;
  isError?: boolean;
  /** What the log keeps in its place, where `content` is the repository's own text. */
  logged?: string;
  pointer?: Pointer;
  changed?: readonly ChangedFile[];
  submission?: Submission;
  /** How to get what was cut, should `content` be too long. */
  more?: string;
}

/** A tool whose input has yet to be checked. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly effect: Effect;
  readonly isAboutLinks: boolean;
  readonly isBrowsing: boolean;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  open(input: unknown): OpenedCall | { problem: string };
}

export interface OpenedCall {
  paths: readonly Asked[];
  outside?: OutsideCall;
  run(context: RunContext): Promise<ToolOutcome>;
}

export function defineTool<Input>(definition: ToolDefinition<Input>): Tool {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(definition.shown ?? definition.input);
  return {
    name: definition.name,
    description: definition.description,
    effect: definition.effect,
    isAboutLinks: definition.isAboutLinks ?? false,
    isBrowsing: definition.isBrowsing ?? false,
    inputSchema,
    open(input) {
      const parsed = definition.input.safeParse(input);
      if (!parsed.success) return { problem: describeIssues(parsed.error) };
      const outside = definition.outside?.(parsed.data);
      return {
        paths: definition.paths(parsed.data),
        ...(outside ? { outside } : {}),
        run: (context) => definition.run(parsed.data, context),
      };
    },
  };
}

/** A result that tells the model what went wrong and what to try. */
export function failed(content: string): ToolOutcome {
  return { content, isError: true };
}

/** A name on a line of its own: quoted where it would break the line. */
export function showPath(path: string): string {
  return /[\p{Cc}"]/u.test(path) ? JSON.stringify(path) : path;
}

/** Fields by name, at most five. */
function describeIssues(error: z.ZodError): string {
  const told = error.issues.flatMap((issue) => inUnion(issue));
  const issues = told
    .slice(0, 5)
    .map(({ path, message }) => `${path.length > 0 ? path.join(".") : "input"}: ${message}`);
  const more = told.length - issues.length;
  return more > 0 ? `${issues.join("; ")}; and ${more} more` : issues.join("; ");
}

interface Told {
  path: PropertyKey[];
  message: string;
}

/** Of alternatives, what the input has against the one that it comes nearest to. */
function inUnion(issue: z.core.$ZodIssue): Told[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const depth = (issues: readonly z.core.$ZodIssue[]) => Math.max(...issues.map(({ path }) => path.length));
  const nearest = issue.errors.toSorted((one, other) => depth(other) - depth(one))[0] ?? [];
  return nearest.flatMap((each) =>
    inUnion(each).map(({ path, message }) => ({ path: [...issue.path, ...path], message })),
  );
}
