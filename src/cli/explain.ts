import type { Command } from "commander";
import { type ExplainQuestion, explain } from "../coordinator/explain.ts";
import { previewPlan } from "../coordinator/plan.ts";
import type { Explanation } from "../protocol/explanation.ts";
import { Fault } from "../protocol/failure.ts";
import { visible } from "../protocol/visible.ts";
import { readSettings } from "../settings.ts";
import { requireJob } from "./find-job.ts";
import { formatOption } from "./options.ts";
import { openPlanThreads } from "./plan-threads.ts";
import { type JobOptions, openJob, readAsked } from "./read-job.ts";
import { withJobOptions } from "./run.ts";
import type { Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";
import { columns, oneLine } from "./words.ts";

interface ExplainOptions extends JobOptions {
  job?: string;
  task?: string;
  agent?: string;
  outputFormat: string;
}

/** What would become of a call, of a job that was taken in or of one that is only read. Starts nothing. */
export const addExplain: Verb = (program, around, exit) => {
  const command = program
    .command("explain")
    .description("Says whether an agent may do something, by which rule, and where that came from")
    .argument("<call>", "such as 'Bash(npm test)', 'Edit(src/a.ts)', 'WebFetch(domain:example.com)'");
  withJobOptions(command)
    .option("--job <job>", "ask about a job that was taken in: an id, a handle or last")
    .option("--task <id>", "only this task")
    .option("--agent <name>", "only agents of this name")
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        "  sheaf explain 'Bash(npm test)' refactor.yaml",
        "  sheaf explain 'Edit(package.json)' --job last --agent fixer",
        "",
        "Exit codes: 0 allowed, 12 somebody would be asked, 1 denied; of several answers the strictest",
      ].join("\n"),
    )
    .action(async (call: string, named: string | undefined, options: ExplainOptions) => {
      const question = { call, task: options.task, agent: options.agent };
      const answers =
        options.job === undefined
          ? await ofFile(question, { named, options, program }, around)
          : await ofJob(question, options.job, around);
      print(answers, options.outputFormat, around);
      exit(codeOf(answers));
    });
};

async function ofJob(question: ExplainQuestion, reference: string, around: Surroundings): Promise<Explanation[]> {
  await using session = await around.open("explain");
  const { id } = await requireJob(reference, session.coordinator);
  // Awaited here: the session is closed when this function is left.
  return await session.coordinator.explain(id, question);
}

/** With the settings of this machine, as a run from here would have. */
async function ofFile(
  question: ExplainQuestion,
  { named, options, program }: { named: string | undefined; options: ExplainOptions; program: Command },
  around: Surroundings,
): Promise<Explanation[]> {
  const { config, cwd } = around;
  const given = program.opts<{ config?: string; server?: string }>();
  if ((given.server ?? config.server) !== undefined) throw elsewhere();
  const { source, options: asked } = await readAsked(named, options, around);
  const { spec, repository } = await openJob(source, asked, around);
  try {
    const variable = (name: string) => config.variable(name);
    const file = given.config === undefined ? {} : { file: given.config };
    const { ceiling } = await readSettings({
      home: config.home,
      cwd,
      variable,
      repository: spec.base.repository,
      ...file,
    });
    await using threads = openPlanThreads(around, repository);
    const { tasks } = await previewPlan({ spec, repository }, threads);
    return await explain(question, { spec, tasks, ceiling, isCaseInsensitive: repository.isCaseInsensitive });
  } finally {
    await repository.close();
  }
}

function elsewhere(): Fault {
  return new Fault("usage", "the rules of a server's operator are known there alone", {
    remedy: "name a job of that server with --job, or leave out --server to ask about this machine",
  });
}

/** The strictest; of `ask` as of a job that waits for somebody. */
function codeOf(answers: readonly Explanation[]): number {
  const effects = new Set(answers.map(({ effect }) => effect));
  if (effects.has("deny")) return 1;
  return effects.has("ask") ? 12 : 0;
}

function print(answers: readonly Explanation[], format: string, { terminal }: Surroundings): void {
  const lines = format === "json" ? [JSON.stringify(answers, null, 2)] : asText(answers);
  for (const line of lines) terminal.print(line);
}

function asText(answers: readonly Explanation[]): string[] {
  const [first, ...others] = answers;
  if (!first) return [];
  if (others.length === 0) return inFull(first);
  const isLike = ({ effect, rule, source }: Explanation) =>
    effect === first.effect && rule === first.rule && source === first.source;
  return others.every(isLike) ? [...inFull(first), `so too for ${others.length} more`] : asTable(answers);
}

const words = { allow: "ALLOW", ask: "ASK", deny: "DENY" } as const;

function inFull(answer: Explanation): string[] {
  const { effect, call, rule, source, reason, layers, suggestion } = answer;
  const about = [answer.task && `task ${answer.task}`, answer.agent && `agent ${answer.agent}`].filter(Boolean);
  const rows = layers.map((layer) => [`  ${oneLine(layer.source)}`, layer.effect, oneLine(layer.rule ?? "")]);
  return [
    `${words[effect]}  ${oneLine(call)}${about.length > 0 ? `  (${oneLine(about.join(", "))})` : ""}`,
    `rule   ${oneLine(rule)}, from ${oneLine(source)}`,
    `why    ${visible(reason)}`,
    ...columns(rows),
    ...(suggestion ? [`to allow it, add ${oneLine(suggestion, 4_200)} to permissions.allow`] : []),
  ];
}

function asTable(answers: readonly Explanation[]): string[] {
  const rows = answers.map(({ task = "", agent = "", effect, rule, source }) => [
    words[effect],
    oneLine(task, 60),
    oneLine(agent, 60),
    `${oneLine(rule, 80)}, from ${oneLine(source, 60)}`,
  ]);
  return [`${oneLine(answers[0]?.call ?? "")}: it depends on the task`, ...columns(rows)];
}
