import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/**
 * A build of the day after: this one's sources with one more migration, which only adds, and one more kind of fact, which
 * it logs whenever it begins or goes on with a job. Everything else is what it is here.
 */
export function makeLaterBuild(folder: string): { program: string; migrations: string } {
  for (const name of ["src", "workers", "migrations", "package.json"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const migrations = join(folder, "migrations");
  addMigration(migrations);
  change(join(folder, "src/protocol/job-fact.ts"), knownFact, `${knownFact}\n  ${laterSchema},`);
  change(join(folder, "src/coordinator/start-job.ts"), runsJob, `${logsLater}\n    ${runsJob}`);
  return { program: folder, migrations };
}

export const laterFact = "job.upgraded";

const root = join(import.meta.dirname, "../..");
const knownFact = 'z.object({ type: z.literal("job.resumed"), data: z.object({ epoch: z.number().int() }) }),';
const laterSchema = `z.object({ type: z.literal("${laterFact}"), data: z.object({}) })`;
const runsJob = "return await runJob(job, equipment);";
const logsLater = `await job.log([{ type: "${laterFact}", data: {} }]);`;

/** Additive: a column with a value that rows of an older build get, a table, and an index. */
const migration = `ALTER TABLE "sheaf"."runs" ADD COLUMN "later" text DEFAULT 'unset' NOT NULL;--> statement-breakpoint
CREATE TABLE "sheaf"."later" ("id" uuid PRIMARY KEY NOT NULL);--> statement-breakpoint
CREATE INDEX "runs_later" ON "sheaf"."runs" ("later");
`;

function addMigration(folder: string): void {
  const file = join(folder, "meta", "_journal.json");
  const journal = z
    .looseObject({ entries: z.array(z.looseObject({ idx: z.number(), when: z.number() })) })
    .parse(JSON.parse(readFileSync(file, "utf8")));
  const last = journal.entries.at(-1);
  if (!last) throw new Error("there are no migrations");
  const entry = { ...last, idx: last.idx + 1, when: last.when + 1, tag: "9999_later" };
  writeFileSync(file, JSON.stringify({ ...journal, entries: [...journal.entries, entry] }));
  writeFileSync(join(folder, "9999_later.sql"), migration);
}

function change(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  if (text.split(from).length !== 2) throw new Error(`${file} does not say once: ${from}`);
  writeFileSync(
    file,
    text.replace(from, () => to),
  );
}
