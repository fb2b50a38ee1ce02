import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Equipment } from "../coordinator/equipment.ts";
import type { Manifest } from "../coordinator/transfer/manifest.ts";
import { activeJobs } from "../db/expired-jobs.ts";
import { Fault } from "../protocol/failure.ts";
import { formatOption } from "./options.ts";
import type { Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";
import { count } from "./words.ts";

interface ExportOptions {
  wait?: boolean;
  whole?: boolean;
  outputFormat: string;
}

export const addExport: Verb = (program, around) => {
  program
    .command("export")
    .description(
      "Writes the data folder, database included, as one file for `sheaf import`; no tokens, settings or keys",
    )
    .argument("<file>", "where to; it must not be there")
    .option("--wait", "on PostgreSQL: wait until no node has a job at work")
    .option("--whole", "also the objects that your own repositories hold")
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText("after", "\nExample:\n  sheaf export ~/sheaf-2026-11-23.tar")
    .action(async (written: string, options: ExportOptions) => {
      const file = resolve(around.cwd, written);
      await refuseThere(file);
      const made = await exportTo(file, options, around);
      if (options.outputFormat === "json") return around.terminal.print(JSON.stringify(summary(made, file), null, 2));
      for (const line of exportedLines(made)) around.terminal.tell(line);
      around.terminal.print(file);
    });
};

async function refuseThere(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere)
    throw new Fault("usage", `${file} is there already`, { remedy: "name another file, or remove that one" });
}

async function exportTo(file: string, options: ExportOptions, around: Surroundings): Promise<Manifest> {
  await using session = await around.open("export", { isOwnNeeded: true });
  if (!session.own) {
    throw new Fault("usage", "a data folder is exported on its own machine", { remedy: "leave --server away" });
  }
  const { equipment } = session.own;
  // In an embedded database nobody but this process could be at work.
  if (options.wait && equipment.database.kind === "postgres") await untilIdle(equipment, around);
  const { exportFolder } = await import("../coordinator/transfer/export-folder.ts");
  return await exportFolder({ file, isWhole: options.whole ?? false, version: around.version }, equipment);
}

/** On PostgreSQL other nodes may be at work. One that begins a job just then is refused, and tried again. */
async function untilIdle({ database }: Equipment, { terminal }: Surroundings): Promise<void> {
  for (let told = ""; ; ) {
    const active = await activeJobs(database);
    if (active.length === 0) return;
    const state = `waiting for ${count(active.length, "job")}: ${active
      .slice(0, 5)
      .map(({ handle }) => handle)
      .join(", ")}`;
    if (state !== told) terminal.tell(state);
    told = state;
    await wait(lookMs);
  }
}

const lookMs = 1_000;

function exportedLines({ tables, repositories, files, left_out }: Manifest): string[] {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const held = [
    count(rows, "row"),
    count(repositories.length, "bare repository").replace(/ys$/, "ies"),
    count(files.length, "file"),
  ];
  return [`exported ${held.join(", ")}`, ...left_out.map((what) => `not in it: ${what}`)];
}

function summary({ repositories, ...rest }: Manifest, file: string) {
  return { file, ...rest, repositories: repositories.map(({ refs, ...each }) => ({ ...each, refs: refs.length })) };
}
