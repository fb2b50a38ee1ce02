import { InvalidArgumentError } from "commander";
import { ageMs } from "../protocol/age.ts";
import type { CollectionOrder, CollectionReport } from "../protocol/collection.ts";
import { Fault } from "../protocol/failure.ts";
import { askOnce } from "./ask-once.ts";
import { collectionLines } from "./collection-table.ts";
import { formatOption } from "./options.ts";
import type { Session, Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";

interface GcOptions {
  keep?: number;
  keepJobs?: number;
  unknown?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  outputFormat: string;
}

export const addGc: Verb = (program, around, exit) => {
  program
    .command("gc")
    .description("Clears away what nobody needs; on a terminal it shows what, and asks")
    .option("--keep <age>", "keep jobs that ended within that time: 12h, 30d, 8w", age)
    .option("--keep-jobs <count>", "keep the newest so many jobs, however old", atLeastNone)
    .option("--unknown", "also what belongs to jobs that the database does not know, past --keep")
    .option("--dry-run", "only show what would go")
    .option("--yes", "do not ask")
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText(
      "after",
      [
        "",
        "Without --keep and --keep-jobs every job is kept; with both, one goes only if neither keeps it.",
        "",
        "Examples:",
        "  sheaf gc                           left workspaces, checkouts, objects: shows them and asks",
        "  sheaf gc --keep 30d --keep-jobs 100 --yes",
      ].join("\n"),
    )
    .action(async (options: GcOptions) => {
      await using session = await around.open("gc");
      const report = await collectAsTold(options, session, around);
      if (report.failed.length > 0) exit(1);
      if (options.outputFormat === "json") return around.terminal.print(JSON.stringify(report, null, 2));
      for (const line of collectionLines(report)) around.terminal.print(line);
    });
};

/** Where somebody sits, they see what would go before it does. */
async function collectAsTold(
  options: GcOptions,
  { coordinator }: Session,
  around: Surroundings,
): Promise<CollectionReport> {
  const order = orderOf(options);
  const isAsked = around.terminal.keyboard !== undefined && !options.yes && !options.dryRun;
  if (!isAsked) return coordinator.collect({ ...order, is_dry_run: options.dryRun ?? false });
  const preview = await coordinator.collect({ ...order, is_dry_run: true });
  if (preview.rows.length === 0) return preview;
  for (const line of collectionLines(preview)) around.terminal.tell(line);
  const answer = await askOnce("remove all of this? [y]es [n]o ", ["y", "n"], around);
  return answer === "y" ? coordinator.collect({ ...order, is_dry_run: false }) : preview;
}

function orderOf({ keep, keepJobs, unknown }: GcOptions): Omit<CollectionOrder, "is_dry_run"> {
  if (unknown && keep === undefined) {
    throw new Fault("usage", "--unknown takes only what is past --keep, and there is no --keep", {
      remedy: "sheaf gc --unknown --keep 30d",
    });
  }
  return {
    ...(keep === undefined ? {} : { keep_ms: keep }),
    ...(keepJobs === undefined ? {} : { keep_jobs: keepJobs }),
    has_unknown: unknown ?? false,
  };
}

function age(word: string): number {
  const read = ageMs(word);
  if ("ms" in read) return read.ms;
  throw new InvalidArgumentError(`${read.reason}.`);
}

function atLeastNone(word: string): number {
  if (/^\d{1,9}$/.test(word)) return Number(word);
  throw new InvalidArgumentError("It must be a whole number, 0 or more.");
}
