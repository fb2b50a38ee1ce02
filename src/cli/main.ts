import { Command } from "commander";
import { addApply } from "./apply.ts";
import { addCancel } from "./cancel.ts";
import { addDiff } from "./diff.ts";
import { addDoctor } from "./doctor.ts";
import { addInit } from "./init.ts";
import { addList } from "./list.ts";
import { addLogs } from "./logs.ts";
import { addPlan } from "./plan.ts";
import { reportError } from "./report-error.ts";
import { addRun } from "./run.ts";
import { addServe } from "./serve.ts";
import type { Surroundings } from "./session.ts";
import { addShow } from "./show.ts";
import { addStatus } from "./status.ts";
import { addValidate } from "./validate.ts";
import type { Verb } from "./verb.ts";

const verbs: readonly Verb[] = [
  addRun,
  addPlan,
  addValidate,
  addInit,
  addList,
  addStatus,
  addShow,
  addLogs,
  addDiff,
  addApply,
  addCancel,
  addServe,
  addDoctor,
];

/** Runs one command line (without `node` and the script); answers the exit code and never throws. */
export async function runCommandLine(words: readonly string[], around: Surroundings): Promise<number> {
  let code = 0;
  const program = createProgram(around);
  const open: Surroundings["open"] = (command, more) => {
    const { config, server } = program.opts<{ config?: string; server?: string }>();
    return around.open(command, { ...more, settingsFile: config, server });
  };
  const exit = (chosen: number) => {
    code = chosen;
  };
  for (const add of verbs) add(program, { ...around, open }, exit);
  try {
    await program.parseAsync([...words], { from: "user" });
    return code;
  } catch (thrown) {
    return reportError(thrown, around.terminal);
  }
}

function createProgram({ terminal, version }: Surroundings): Command {
  return new Command("sheaf")
    .description(
      "Splits one large code change into scoped sub-agents, runs them in parallel,\nand lands one verified tree.",
    )
    .version(version, "-V, --version")
    .option("--config <file>", "the operator's settings (default: sheaf.config.yaml in SHEAF_HOME)")
    .option("--server <url>", "the Sheaf that does the work, with the token in SHEAF_TOKEN (default: SHEAF_SERVER)")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.tell(text.trimEnd()),
    })
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        "  sheaf run --codemod node-protocol --check 'npm test'   one recipe over this repository",
        "  sheaf run sheaf.yaml --publish branch                  a job file; the result as a branch",
        "  sheaf show last                                        who did what, and why",
        "  sheaf apply last                                       take the result home",
        "  sheaf --server https://sheaf.example.com run           on a server; SHEAF_TOKEN is its token",
      ].join("\n"),
    );
}
