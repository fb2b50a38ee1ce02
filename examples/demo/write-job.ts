import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlantedPackage } from "./plant-package.ts";
import { shellWord } from "./shell-word.ts";

/** The job of the demo as a file that can be read, changed and run again. */
export const trespasser = "trespasser";
const mostFilesOfPart = 25;
/** What the check is called in the job, and so in the result. */
const checkName = "every module loads, one request is served";

export interface WrittenJob {
  file: string;
  /** Sub-agents that refactor, and the most files that each was given. */
  parts: number;
  mostFiles: number;
}

/** Writes the job file and the agent's script beside each other. */
export async function writeJob(root: string, planted: PlantedPackage): Promise<WrittenJob> {
  const file = join(root, "job.yaml");
  await copyFile(join(import.meta.dirname, "trespasser.yaml"), join(root, "trespasser.yaml"));
  const parts = partsOf(planted.files.filter((path) => /\.[cm]?[jt]sx?$/.test(path)));
  await writeFile(file, jobText(parts, planted));
  return { file, parts: parts.length, mostFiles: mostFilesOfPart };
}

function jobText(parts: readonly string[][], { name, dependencies }: PlantedPackage): string {
  const script = join(import.meta.dirname, "load-every-module.cjs");
  const check = `NODE_PATH=${shellWord(dependencies)} ${shellWord(process.execPath)} ${shellWord(script)}`;
  return [
    `# The demo's job: the sources of ${name} in parts, one sub-agent each, and an agent that tries to leave its scope.`,
    "version: 1",
    `name: ${name}`,
    "agents:",
    `  ${trespasser}: { model: scripted/trespasser.yaml }`,
    "tasks:",
    ...parts.flatMap(partLines),
    `  - id: ${trespasser}`,
    "    items: [package.json]",
    "    writes: [NOTES.md]",
    `    steps: [{ prompt: Take a note of what this package is., agent: ${trespasser} }]`,
    "permissions: { allow: ['Bash(ls:*)'] }",
    "checks:",
    `  - name: ${checkName}`,
    `    run: ${JSON.stringify(check)}`,
    "    expect: no-new-failures",
    "",
  ].join("\n");
}

function partsOf(files: readonly string[]): string[][] {
  const count = Math.ceil(files.length / mostFilesOfPart);
  return Array.from({ length: count }, (_, part) => files.slice(part * mostFilesOfPart, (part + 1) * mostFilesOfPart));
}

function partLines(files: readonly string[], index: number): string[] {
  return [
    `  - id: part-${index + 1}`,
    "    steps: [{ codemod: node-protocol }]",
    "    items:",
    ...files.map((path) => `      - ${JSON.stringify(path)}`),
  ];
}
