import { Command } from "commander";
import { reportError } from "./report-error.ts";
import type { Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";

/** Each verb and what it needs is loaded when a command line names it: half of a short command's time is loading. */
const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  run: async () => (await import("./run.ts")).addRun,
  plan: async () => (await import("./plan.ts")).addPlan,
  explain: async () => (await import("./explain.ts")).addExplain,
  validate: async () => (await import("./validate.ts")).addValidate,
  init: async () => (await import("./init.ts")).addInit,
  list: async () => (await import("./list.ts")).addList,
  status: async () => (await import("./status.ts")).addStatus,
  show: async () => (await import("./show.ts")).addShow,
  logs: async () => (await import("./logs.ts")).addLogs,
  diff: async () => (await import("./diff.ts")).addDiff,
  apply: async () => (await import("./apply.ts")).addApply,
  approvals: async () => (await import("./approvals.ts")).addApprovals,
  approve: async () => (await import("./approve.ts")).addApprove,
  deny: async () => (await import("./approve.ts")).addDeny,
  steer: async () => (await import("./steer.ts")).addSteer,
  pause: async () => (await import("./pause.ts")).addPause,
  resume: async () => (await import("./pause.ts")).addResume,
  retry: async () => (await import("./retry.ts")).addRetry,
  cancel: async () => (await import("./cancel.ts")).addCancel,
  token: async () => (await import("./token.ts")).addToken,
  audit: async () => (await import("./audit.ts")).addAudit,
  serve: async () => (await import("./serve.ts")).addServe,
  gc: async () => (await import("./gc.ts")).addGc,
  export: async () => (await import("./export.ts")).addExport,
  import: async () => (await import("./import.ts")).addImport,
  doctor: async () => (await import("./doctor.ts")).addDoctor,
};

/** Runs one command line (without `node` and the script); answers the exit code and never throws. */
export async function runCommandLine(words: readonly string[], around: Surroundings): Promise<number> {
  let code = 0;
  const program = createProgram(around);
  const open: Surroundings["open"] = (command, more) => {
    const { config, server } = program.opts<{ config?: string; server?: string }>();
    return around.open(command, { ...more, settingsFile: config, server });
  };
  const foresee = () => {
    if (program.opts<{ server?: string }>().server === undefined) around.foresee?.();
  };
  const exit = (chosen: number) => {
    code = chosen;
  };
  try {
    for (const add of await namedIn(words)) add(program, { ...around, open, foresee }, exit);
    await program.parseAsync([...words], { from: "user" });
    return code;
  } catch (thrown) {
    return reportError(thrown, around.terminal);
  }
}

/** The verbs that a command line could mean; all of them where it names none, for help and for suggestions. */
function namedIn(words: readonly string[]): Promise<Verb[]> {
  if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) return Promise.resolve([]);
  const named = Object.keys(verbs).filter((name) => words.includes(name));
  const wanted = named.length > 0 && words[0] !== "help" ? named : Object.keys(verbs);
  return Promise.all(wanted.flatMap((name) => verbs[name]?.() ?? []));
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
