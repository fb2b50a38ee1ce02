import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { type Result, result as resultSchema } from "../../src/protocol/result.ts";

const root = join(import.meta.dirname, "../..");

const step = z.strictObject({
  name: z.string(),
  id: z.string(),
  if: z.string().optional(),
  shell: z.literal("bash"),
  "working-directory": z.string().optional(),
  env: z.record(z.string(), z.string()),
  run: z.string(),
});
const input = z.strictObject({ description: z.string().min(10), default: z.string() });
const output = z.strictObject({ description: z.string().min(10), value: z.string() });

/** The metadata of a composite action, as far as ours uses it (GitHub's "metadata syntax", and schemastore's schema). */
export const actionSchema = z.strictObject({
  name: z.string(),
  description: z.string().max(125),
  branding: z.strictObject({ icon: z.literal("layers"), color: z.literal("blue") }),
  inputs: z.record(z.string().regex(/^[a-z][a-z-]*$/), input),
  outputs: z.record(z.string().regex(/^[a-z_]+$/), output),
  runs: z.strictObject({ using: z.literal("composite"), steps: z.array(step) }),
});

export function readAction(): z.infer<typeof actionSchema> {
  return actionSchema.parse(parse(readFileSync(join(root, "action.yml"), "utf8")));
}

/** A runner of GitHub's, as far as a composite action can tell: its folders, its files, and its way to start bash. */
export interface Runner extends AsyncDisposable {
  folder: string;
  /** Starts the action's last step by hand. */
  start(inputs: Readonly<Record<string, string>>, cwd: string): RunningStep;
}

export interface RunningStep {
  child: ChildProcess;
  shows(pattern: RegExp): Promise<void>;
  ended: Promise<EndedStep>;
}

export interface EndedStep {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What the step wrote to GITHUB_OUTPUT, read as the runner reads it. */
  outputs: Record<string, string>;
  summary: string;
  result: Result | undefined;
}

export function openRunner(): Runner {
  const folder = mkdtempSync(join(tmpdir(), "sheaf runner-"));
  const command = join(folder, "sheaf");
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' --liftoff-only '${join(root, "src/bin.ts")}' "$@"\n`);
  chmodSync(command, 0o755);
  const children = new Set<ChildProcess>();
  let count = 0;
  return {
    folder,
    start(inputs, cwd) {
      count += 1;
      const temp = join(folder, `temp-${count}`);
      mkdirSync(temp);
      const files = { GITHUB_OUTPUT: join(temp, "output"), GITHUB_STEP_SUMMARY: join(temp, "summary") };
      const script = join(temp, "step.sh");
      const last = readAction().runs.steps.at(-1);
      writeFileSync(script, last?.run ?? "exit 99");
      const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
        cwd,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          CI: "true",
          RUNNER_TEMP: temp,
          NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"),
          ...files,
          ...stepEnvironment(last?.env ?? {}, { ...inputs, command }),
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      children.add(child);
      return follow(child, { ...files, report: join(temp, "sheaf-report") });
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) if (child.exitCode === null) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** `${{ inputs.name }}` becomes the input or its default; what comes after `||` is not needed by a step with a command. */
function stepEnvironment(env: Readonly<Record<string, string>>, given: Readonly<Record<string, string>>) {
  const { inputs } = readAction();
  const filled = Object.entries(env).map(([name, value]) => {
    const [, key = ""] = /^\$\{\{ inputs\.([a-z-]+)(?: \|\| steps\.install\.outputs\.command)? \}\}$/.exec(value) ?? [];
    if (!inputs[key]) throw new Error(`${name} is no input: ${value}`);
    return [name, given[key] ?? inputs[key].default];
  });
  return Object.fromEntries(filled) as Record<string, string>;
}

function follow(
  child: ChildProcess,
  files: { GITHUB_OUTPUT: string; GITHUB_STEP_SUMMARY: string; report: string },
): RunningStep {
  const said = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, "close").then(([code]) => {
    const result = join(files.report, "result.json");
    return {
      code,
      ...said,
      outputs: outputsOf(textOf(files.GITHUB_OUTPUT)),
      summary: textOf(files.GITHUB_STEP_SUMMARY),
      result: existsSync(result) ? resultSchema.parse(JSON.parse(textOf(result))) : undefined,
    };
  });
  const shows = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => pattern.test(said.stdout + said.stderr) && resolve();
      listeners.add(look);
      look();
      void ended.then(() => reject(new Error(`it ended without ${pattern}: ${said.stdout}\n${said.stderr}`)));
    });
  return { child, ended, shows };
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function outputsOf(text: string): Record<string, string> {
  const blocks = text.matchAll(/^([a-z_]+)<<(.+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries([...blocks].map(([, name, , value]) => [name, value]));
}
