import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

/** `sheaf run -p` in a repository of 16 small files: planned, carried out side by side, landed as one tree. */
export async function runGoal(model: string, maxUsd: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "sheaf-live-"));
  try {
    const repo = join(folder, "repo");
    await plantParts(repo);
    const goal =
      "Give every function in src a JSDoc comment that says what it returns. Make one task of each file in src.";
    const options = ["--model", model, "--max-usd", maxUsd, "--yes", "--output-format", "json"];
    const child = spawn(process.execPath, [bin, "run", "-p", goal, "--repo", repo, ...options], {
      env: { ...process.env, SHEAF_HOME: join(folder, "home") },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      said += piece;
    });
    await once(child, "close");
    const { outcome, tasks, usage } = result.parse(JSON.parse(said));
    const landed = tasks.filter((task) => task.landed).length;
    console.log(`${outcome}: ${landed} of ${tasks.length} tasks landed, ${JSON.stringify(usage)}`);
    return outcome === "succeeded";
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const bin = join(import.meta.dirname, "..", "..", "src", "bin.ts");

const result = z.object({
  outcome: z.string(),
  tasks: z.array(z.object({ landed: z.boolean() })),
  usage: z.record(z.string(), z.unknown()),
});

const identity = ["-c", "user.name=Smoke", "-c", "user.email=smoke@example.com"];

function git(repo: string, ...words: string[]): void {
  execFileSync("git", ["-C", repo, ...identity, ...words], { stdio: ["ignore", "ignore", "inherit"] });
}

async function plantParts(repo: string): Promise<void> {
  await mkdir(join(repo, "src"), { recursive: true });
  const scripts = { test: "node --check src/part-01.js" };
  await writeFile(join(repo, "package.json"), JSON.stringify({ name: "parts", type: "module", scripts }, null, 2));
  for (let part = 1; part <= 16; part++) {
    const name = String(part).padStart(2, "0");
    await writeFile(
      join(repo, "src", `part-${name}.js`),
      `export function part${name}(x) {\n  return x * ${part};\n}\n`,
    );
  }
  git(repo, "init", "--quiet", "--initial-branch=main");
  git(repo, "add", "--all");
  git(repo, "commit", "--quiet", "--message=parts");
}
