import { findPackageJSON } from "node:module";
import { dirname, join, resolve } from "node:path";
import type { Verb } from "./verb.ts";
import { count } from "./words.ts";

export const addImport: Verb = (program, around) => {
  program
    .command("import")
    .description("Makes the data folder, and fills its database, from a file that `sheaf export` wrote")
    .argument("<file>", "the export")
    .addHelpText(
      "after",
      [
        "",
        "SHEAF_HOME must not be there yet, or be empty; a database at DATABASE_URL must be empty.",
        "Import only what you trust: it says what was run, and what the results are.",
        "",
        "Examples:",
        "  sheaf import ~/sheaf-2026-11-23.tar",
        "  SHEAF_HOME=~/sheaf-new sheaf import ~/sheaf-2026-11-23.tar",
      ].join("\n"),
    )
    .action(async (written: string) => {
      const { config, cwd, git, terminal } = around;
      const { importFolder } = await import("../coordinator/transfer/import-folder.ts");
      const packageFolder = dirname(findPackageJSON(import.meta.url) ?? "package.json");
      const made = await importFolder({
        file: resolve(cwd, written),
        home: config.home,
        url: config.databaseUrl,
        template: join(packageFolder, "dist", "template"),
        migrations: join(packageFolder, "migrations"),
        git,
      });
      const jobs = made.tables.find(({ name }) => name === "jobs")?.rows ?? 0;
      terminal.tell(`imported ${count(jobs, "job")}; tokens, settings and keys are yours to put there again`);
      terminal.print(config.home);
    });
};
