import { access, constants, statfs } from "node:fs/promises";
import { listJobs } from "../db/find-job.ts";
import { readOwner } from "../db/lock.ts";
import { toFailure } from "../protocol/failure.ts";
import { visible } from "../protocol/visible.ts";
import type { Finding } from "./doctor-finding.ts";
import { orphanFindings } from "./doctor-orphans.ts";
import { sandboxFindings } from "./doctor-sandbox.ts";
import { formatOption } from "./options.ts";
import type { Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";
import { columns, count } from "./words.ts";

export const addDoctor: Verb = (program, around, exit) => {
  program
    .command("doctor")
    .description("Looks at this machine and the data folder, and says what is missing and how to mend it")
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText("after", "\nExample:\n  sheaf doctor")
    .action(async (options: { outputFormat: string }) => {
      const findings: Finding[] = [node(), await git(around), await disk(around), ...(await store(around))];
      if (findings.some((finding) => finding.state === "bad")) exit(78);
      if (options.outputFormat === "json") return around.terminal.print(JSON.stringify(findings, null, 2));
      const rows = findings.map(({ state, what, remedy }) => [state, sentence(what, remedy)]);
      for (const line of columns(rows)) around.terminal.print(line);
    });
};

/** A remedy may be lines to type: they stay lines, below the first. */
function sentence(what: string, remedy: string | undefined): string {
  return visible(remedy ? `${what}; try: ${remedy}` : what).replaceAll("\n", "\n       ");
}

function node(): Finding {
  return { state: "ok", what: `Node ${process.versions.node} on ${process.platform} ${process.arch}` };
}

/** What every call of ours is tried with; merge-tree --write-tree came one earlier. */
const oldestGit = [2, 39] as const;

async function git({ git: run, cwd }: Surroundings): Promise<Finding> {
  try {
    const { stdout } = await run(["--version"], { gitDir: cwd });
    const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(stdout.toString()) ?? [];
    const isOld = Number(major) < oldestGit[0] || (Number(major) === oldestGit[0] && Number(minor) < oldestGit[1]);
    const what = stdout.toString().trim();
    return isOld
      ? { state: "bad", what: `${what} is too old`, remedy: "install git 2.39 or newer" }
      : { state: "ok", what };
  } catch (thrown) {
    return badly(thrown);
  }
}

async function disk({ config }: Surroundings): Promise<Finding> {
  try {
    await access(config.home, constants.W_OK);
    const { bavail, bsize } = await statfs(config.home);
    const free = Math.round((bavail * bsize) / 1e6);
    const what = `data folder ${config.home}, ${free} MB free`;
    return free < 500 ? { state: "bad", what, remedy: "free some space on that disk" } : { state: "ok", what };
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) return badly(thrown);
    return { state: "ok", what: `data folder ${config.home} will be made when it is needed` };
  }
}

async function store(around: Surroundings): Promise<Finding[]> {
  try {
    await using session = await around.open("doctor");
    if (!session.own) return [held(around.config.home)];
    const { database, threads } = session.own.equipment;
    const jobs = await listJobs({ limit: 1_000 }, database);
    return [
      { state: "ok", what: `${database.kind} at ${database.address}: ${count(jobs.length, "job")}` },
      { state: "ok", what: `${count(threads, "worker thread")}` },
      ...(await sandboxFindings(session.own, around)),
      ...(await orphanFindings(session.own)),
    ];
  } catch (thrown) {
    return [badly(thrown)];
  }
}

/** The store is looked at by whoever has it open. */
function held(home: string): Finding {
  const owner = readOwner(home);
  const who = owner ? `process ${owner.pid} (${owner.command}, since ${owner.started_at})` : "another process";
  return { state: "note", what: `the data folder is in use by ${who}, and other commands work through it` };
}

function badly(thrown: unknown): Finding {
  const { message, remedy } = toFailure(thrown);
  return { state: "bad", what: message, ...(remedy ? { remedy } : {}) };
}
