import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startPostgres } from "../support/postgres.ts";
import type { Figure, Reading } from "./figure.ts";
import { installProgram } from "./installed-program.ts";

/** What a server holds that nobody asks anything: resident memory of its process, as the kernel counts it. */
export const idleMemory: Figure = {
  name: "idle-memory",
  title: "sheaf serve, idle: resident memory",
  async measure({ directory }) {
    const { command } = await installProgram(join(directory, "program"));
    const embedded = await residentMb(command, join(directory, "embedded"), {});
    await using server = await startPostgres();
    const url = { DATABASE_URL: await server.createDatabase() };
    const postgres = await residentMb(command, join(directory, "postgres"), url);
    return [reading("embedded database", embedded), reading("PostgreSQL", postgres)];
  },
};

function reading(what: string, value: number): Reading {
  return {
    what: `${what}, idle server`,
    value,
    unit: "MB",
    statistic: "one process, 3 s after its start",
    absolute: "",
  };
}

async function residentMb(command: readonly string[], home: string, env: Record<string, string>): Promise<number> {
  mkdirSync(home);
  const [program = "", ...words] = [...command, "serve", "--port", "0"];
  const environment = { PATH: process.env.PATH, HOME: home, SHEAF_HOME: home, ...env };
  const child = spawn(program, words, { env: environment, stdio: ["ignore", "ignore", "pipe"] });
  try {
    await said(child, /listens on/);
    await wait(3_000);
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1_024;
  } finally {
    child.kill("SIGKILL");
  }
}

function said(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stderr?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      if (pattern.test(text)) resolve();
    });
    child.on("exit", () => reject(new Error(`the server ended: ${text}`)));
  });
}
