import type { ToolSchema } from "../model/model.ts";
import { agent } from "./agent.ts";
import { applyEdits } from "./apply-edits.ts";
import { astRewrite } from "./ast-rewrite.ts";
import { bash } from "./bash.ts";
import { deleteFile } from "./delete.ts";
import { edit } from "./edit.ts";
import { glob } from "./glob.ts";
import { grep } from "./grep.ts";
import { list } from "./list.ts";
import { plan } from "./plan.ts";
import { read } from "./read.ts";
import { serverTool } from "./server-tool.ts";
import { submit } from "./submit.ts";
import type { Tool } from "./tool.ts";
import { write } from "./write.ts";

const files = [read, write, edit, glob, grep, list, deleteFile, applyEdits, astRewrite];
const tools: ReadonlyMap<string, Tool> = new Map(
  [...files, bash, agent, submit, plan].map((tool) => [tool.name, tool]),
);

/** Every tool that a task's agent may be given, by name. Planning is for planners alone. */
export const toolNames: readonly string[] = [...tools.keys()].filter((name) => name !== plan.name);

export function toolNamed(name: string): Tool | undefined {
  return tools.get(name) ?? serverTool(name);
}

/**
 * Names, descriptions and JSON schemas for a model, in the order of the catalogue; unknown names are left out, and so is
 * what only the run's order can describe: the agents it may start, and the tools of servers.
 */
export function toolSchemas(names: readonly string[]): ToolSchema[] {
  const offered = [...tools.values()].filter((tool) => names.includes(tool.name) && tool !== agent);
  return offered.map(({ name, description, inputSchema }) => ({ name, description, input_schema: inputSchema }));
}
