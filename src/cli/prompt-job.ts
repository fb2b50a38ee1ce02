import { readBaseTexts } from "../coordinator/plan/read-base-texts.ts";
import type { JobSource } from "../job/job-source.ts";
import { jobOf } from "../job/read-job-file.ts";
import { Fault } from "../protocol/failure.ts";
import { checkManifests, type FoundChecks, findChecks } from "../split/find-checks.ts";
import { resolveBase } from "../workspace/base.ts";
import { toRaw } from "../workspace/raw-path.ts";
import { openForJob } from "./open-for-job.ts";
import type { JobOptions } from "./read-job.ts";
import type { Surroundings } from "./session.ts";

/**
 * `-p TEXT` is a whole job: a goal that is planned, and the checks that the repository itself names. Nothing of the
 * repository is run to find them.
 */
export async function promptJob(
  options: JobOptions,
  around: Surroundings,
): Promise<{ source: JobSource; foundChecks: string[] }> {
  const prompt = await promptText(options.prompt ?? "", around);
  const found = options.checks === false ? { checks: [] } : await checksIn(options, around);
  const given = new Set(options.check ?? []);
  const foundChecks = found.checks.filter((run) => !given.has(run));
  if (options.checks !== false) sayFound({ ...found, checks: foundChecks }, { given: given.size, around });
  return { source: promptSource(prompt, { ...found, checks: foundChecks }, around), foundChecks };
}

/** How long a check may take that nobody asked for. */
const foundTimeout = "10m";

function promptSource(prompt: string, { checks, setup }: FoundChecks, { cwd }: { cwd: string }): JobSource {
  const written = {
    version: 1,
    prompt,
    ...(setup ? { setup } : {}),
    ...(checks.length > 0 ? { checks: checks.map((run) => ({ run, timeout: foundTimeout })) } : {}),
  };
  return jobOf(written, { name: "prompt", said: "--prompt", cwd });
}

/** `-` alone reads standard input. */
async function promptText(word: string, { readInput }: Surroundings): Promise<string> {
  const text = word === "-" ? await readInput() : word;
  if (text.trim() !== "") return text.trim();
  throw new Fault("usage", `--prompt: ${word === "-" ? "standard input is empty" : "it is empty"}`, {
    remedy: "say what is to be done",
  });
}

async function checksIn(options: JobOptions, around: Surroundings): Promise<FoundChecks> {
  const repository = await openForJob(options, around);
  try {
    const { base } = await resolveBase(repository, options.ref ?? "HEAD", { includeDirty: false });
    const wanted = new Set(checkManifests);
    const texts = await readBaseTexts(repository, base.tree, (path) => wanted.has(path));
    const { entries } = await repository.listings.get(base.tree);
    return findChecks(texts, (path) => entries.has(toRaw(path)));
  } finally {
    await repository.close();
  }
}

function sayFound({ checks, setup }: FoundChecks, { given, around }: { given: number; around: Surroundings }): void {
  const none =
    given > 0 ? "checks none found here beside those of --check" : "checks none found here; --check adds one";
  const names = checks.map((run) => JSON.stringify(run)).join(", ");
  const before = setup ? `, after ${setup.run}` : "";
  around.terminal.tell(
    checks.length > 0 ? `checks found here: ${names}${before}; --check adds one, --no-checks leaves these out` : none,
  );
}
