import { z } from "zod";
import { nearest } from "../document/nearest.ts";
import { type PlacedDocument, readDocument } from "../document/read-document.ts";
import type { AgentSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import { modelText, readModel } from "../protocol/job-file-model.ts";
import { plainName } from "../protocol/written-text.ts";
import { agentLimits, wordsOf } from "./agent-tools.ts";
import { at } from "./resolve-pattern.ts";

/**
 * An agent file as Claude Code and others write them: front matter in YAML, then the agent's instructions. It comes out
 * of the repository, so it can only narrow, and what it says is never taken for more than it says: a key that would
 * limit or give something in a way that is not built is refused by name.
 */
export interface AgentFile extends Pick<AgentSpec, "instructions" | "allow" | "deny" | "tools" | "description"> {
  /** The model it asks for, as a job file would name it; absent for `inherit`. */
  model?: string;
  /** Most turns of one run of it. */
  turns?: number;
}

/** `file` is what errors call it. Throws Fault `job_file` or `rule`, with the place in the file. */
export function readAgentFile(text: string, file: string): AgentFile {
  const { front, body } = partsOf(text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n"), file);
  refuseUnbuilt(front, file);
  const { value, place } = read(front, file, frontMatter);
  const tools = value.tools === undefined ? undefined : wordsOf(value.tools);
  within(place(["tools"]), () => agentLimits(tools, []));
  const limits = within(place(["disallowedTools"]), () => agentLimits(tools, wordsOf(value.disallowedTools ?? [])));
  const { description, model, maxTurns } = value;
  return {
    instructions: body,
    description: description.slice(0, mostDescription).toWellFormed(),
    ...limits,
    ...(model === undefined || model === "inherit" ? {} : { model: modelOf(model, place(["model"])) }),
    ...(maxTurns === undefined ? {} : { turns: maxTurns }),
  };
}

/** A file of the repository names a model; what lies on the disk of whoever runs the job is not its business. */
function modelOf(written: string, place: string): string {
  const message = modelText.safeParse(written).error?.issues[0]?.message;
  if (message !== undefined) throw new Fault("job_file", `${place}: ${message}`);
  if (readModel(written).provider === "messages") return written;
  throw new Fault("job_file", `${place}: ${JSON.stringify(written)} is not for an agent file`, {
    remedy: "name a model such as sonnet, or write it in the job: agents: { NAME: { use: FILE, model: ... } }",
  });
}

const mostBody = 100_000;
/** It is told to whoever may start the agent, with those of all others. */
const mostDescription = 2_000;

function partsOf(text: string, file: string): { front: string; body: string } {
  const parts = /^---[ \t]*\n([\s\S]*?\n)?---[ \t]*(?:\n([\s\S]*))?$/.exec(text);
  if (!parts) {
    throw new Fault("job_file", `${file}:1:1: an agent file begins with front matter between two lines of ---`, {
      remedy: "write ---, then name: and description:, then --- and the instructions",
    });
  }
  const [, front = "", rest = ""] = parts;
  const body = rest.trim();
  if (body.length > mostBody) {
    throw new Fault(
      "job_file",
      `${file}: its instructions have ${body.length} characters, at most ${mostBody} are read`,
      {
        remedy: "shorten them",
      },
    );
  }
  // The first line stays, so that places are those of the file.
  return { front: `---\n${front}`, body };
}

/** Of all names together, in a line or a list. */
const mostNames = 10_000;
const names = z
  .union([z.string().min(1), z.array(z.string().min(1)).max(1_000)])
  .refine((written) => [written].flat().join(",").length <= mostNames, `it has more than ${mostNames} characters`);

/** What is said of an agent and changes nothing here: every run is isolated, and no level of effort is asked for. */
const anything = z.unknown().optional();
const ignored = { color: anything, effort: anything, background: anything, isolation: anything, memory: anything };

const frontMatter = z.strictObject({
  name: plainName,
  description: z.string().min(1),
  tools: names.optional(),
  disallowedTools: names.optional(),
  model: z.string().min(1).optional(),
  maxTurns: z.int().min(1).max(10_000).optional(),
  ...ignored,
});

/** Keys of that format that would limit or give something. Passing over them would be a lie. */
const unbuilt: Readonly<Record<string, string>> = {
  hooks: "hooks of an agent file are not run; leave it out, and write rules",
  initialPrompt: "what an agent is asked is the step's prompt; leave it out",
  mcpServers: "an agent file starts no servers; leave it out, and name them in the job: servers",
  permissionMode: "how much is asked is the job's permissions.mode; leave it out",
  skills: "skills are not loaded; leave it out, and write what they say",
};

/** Before the schema sees it: whoever wrote `hooks` is told about hooks, not of an unknown key. */
function refuseUnbuilt(front: string, file: string): void {
  const { value, place } = read(front, file, z.looseObject({}));
  for (const key of Object.keys(value)) {
    const reason = Object.hasOwn(unbuilt, key) ? unbuilt[key] : undefined;
    if (reason) throw new Fault("job_file", `${place([key])}: ${key} is not built: ${reason}`);
    if (Object.hasOwn(frontMatter.shape, key) || key.startsWith("x-")) continue;
    const meant = nearest(key, Object.keys(frontMatter.shape));
    const remedy = meant ? `did you mean ${meant}?` : `the keys are ${Object.keys(frontMatter.shape).join(", ")}`;
    throw new Fault("job_file", `${place([key])}: ${JSON.stringify(key)} is no key of an agent file`, { remedy });
  }
}

function read<Value>(front: string, file: string, schema: z.ZodType<Value>): PlacedDocument<Value> {
  return readDocument(front, { file, schema, code: "job_file" });
}

function within<Value>(place: string, make: () => Value): Value {
  try {
    return make();
  } catch (thrown) {
    throw thrown instanceof Fault ? at(place, thrown) : thrown;
  }
}
