import { access, readFile, writeFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { Fault } from "../protocol/failure.ts";
import type { Verb } from "./verb.ts";

export const addInit: Verb = (program, around) => {
  program
    .command("init")
    .description("Writes a small job file to start from; never over an existing one")
    .argument("[file]", "where", "sheaf.yaml")
    .addHelpText("after", "\nExample:\n  sheaf init && sheaf plan && sheaf run")
    .action(async (file: string) => {
      const target = resolve(around.cwd, file);
      try {
        await writeFile(target, await firstJob(around.cwd, dirname(target)), { flag: "wx" });
      } catch (thrown) {
        if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST")) throw thrown;
        throw new Fault("usage", `${target} is there already`, { remedy: "name another file, or edit that one" });
      }
      around.terminal.print(`wrote ${target}`);
      around.terminal.tell("next: sheaf validate, sheaf plan, sheaf run");
    });
};

async function firstJob(folder: string, target: string): Promise<string> {
  const test = await testCommand(folder);
  return [
    `# yaml-language-server: $schema=${await schemaFor(target)}`,
    "# One recipe over the repository, in parts that run side by side. Reference: docs/job-file.md",
    "version: 1",
    "each:",
    "  - codemod: node-protocol",
    "# A check runs on the merged tree. It needs sandbox.mode in sheaf.config.yaml.",
    ...(test ? ["checks:", `  - ${test}`] : ["# checks:", "#   - npm test"]),
    "# publish: { branch: sheaf/node-protocol }",
    "",
  ].join("\n");
}

const schemaFile = "docs/job-file.schema.json";

/** Where editors find the keys: in the project's own copy of this package, else in the one that runs. */
async function schemaFor(folder: string): Promise<string> {
  const own = `node_modules/sheaf/${schemaFile}`;
  const isOwn = await access(join(folder, own)).then(
    () => true,
    () => false,
  );
  if (isOwn) return `./${own}`;
  return pathToFileURL(join(dirname(findPackageJSON(import.meta.url) ?? "."), schemaFile)).href;
}

const manifest = z.object({ scripts: z.record(z.string(), z.string()).optional() });

/** The repository's own test command, where it has one that was not left at npm's default. */
async function testCommand(folder: string): Promise<string | undefined> {
  try {
    await access(join(folder, "package.json"));
    const parsed = manifest.safeParse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
    const test = parsed.success ? parsed.data.scripts?.test : undefined;
    return test && !test.includes("no test specified") ? "npm test" : undefined;
  } catch {
    return undefined;
  }
}
