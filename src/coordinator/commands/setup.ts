import { join } from "node:path";
import { storeArtifact } from "../../db/store-artifact.ts";
import { toFailure } from "../../protocol/failure.ts";
import { newUuid } from "../../protocol/ids.ts";
import type { Setup } from "../../protocol/job.ts";
import { commandText, describeEnding, lastLines } from "../../sandbox/command-ending.ts";
import type { CommandOutcome } from "../../sandbox/driver.ts";
import { attribute, setupSpan } from "../../telemetry/semconv.ts";
import { bringPrepared, draftIn, isKept, keepPrepared, removeUnused } from "../../workspace/prepared-files.ts";
import { Unsettled } from "../../workspace/unsettled.ts";
import { createWorkingCheckout } from "../../workspace/working-checkout.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { clearAway } from "../tasks/clear-away.ts";
import { runInSandbox } from "./run-in-sandbox.ts";
import { SetupFailed } from "./setup-failed.ts";
import { type SetupSource, sourceOf } from "./setup-source.ts";

/**
 * Makes a fresh checkout ready for commands. The setup runs once for each key (setup-source.ts), in a checkout of its
 * own; what it leaves that no tree holds is kept and copied from then on. What it does to tracked files goes nowhere.
 */
export interface Around {
  job: Job;
  equipment: Equipment;
}

/** Throws `SetupFailed`, and the job's stop while it runs. */
export async function prepareCheckout(root: string, tree: string, around: Around): Promise<void> {
  const { setup } = around.job.spec;
  if (setup) await bringPrepared(await setUp(setup, tree, around), root);
}

/** One job asks once for each key: its tasks wait for the same answer, and a failure stays one. */
const ofJobs = new WeakMap<Job, Map<string, Promise<string>>>();

async function setUp(setup: Setup, tree: string, around: Around): Promise<string> {
  const { job, equipment } = around;
  const source = await sourceOf(setup, tree, around);
  const { key } = source;
  const known = ofJobs.get(job) ?? new Map<string, Promise<string>>();
  ofJobs.set(job, known);
  const folder = join(equipment.home, "setups", key);
  const asked = known.get(key) ?? oneAtATime(folder, () => keptOrMade({ ...source, folder }, around));
  known.set(key, asked);
  return asked;
}

interface Wanted extends SetupSource {
  folder: string;
}

/** Unused for this long, and it goes when the next one is made. */
const keptMs = 7 * 24 * 60 * 60 * 1000;

async function keptOrMade(wanted: Wanted, around: Around): Promise<string> {
  const { key, folder } = wanted;
  const { job, equipment } = around;
  if (await isKept(folder, equipment.clock.now())) {
    await job.log([{ type: "setup.finished", data: { key, is_reused: true, exit: 0, duration_ms: 0 } }]);
    return folder;
  }
  await removeUnused(join(equipment.home, "setups"), equipment.clock.now() - keptMs);
  await make(wanted, around);
  return folder;
}

async function make(wanted: Wanted, around: Around): Promise<void> {
  const { setup, tree, key, folder, isBase } = wanted;
  const { job, equipment } = around;
  const id = newUuid(equipment.clock);
  await job.log([{ type: "setup.started", data: { key, tree, run: setup.run } }]);
  const directory = join(equipment.home, "checkouts", id);
  const checkout = await createWorkingCheckout(job.repository, { directory, tree });
  try {
    const seen = await runTraced(setup, tree, checkout.root, around);
    const output = equipment.redact(seen.output.toString());
    const kept = await storeArtifact(Buffer.from(output), "text/plain", equipment.database);
    const data = { key, is_reused: false, exit: seen.exit, duration_ms: seen.durationMs, output: kept };
    await job.log([{ type: "setup.finished", data }]);
    if (seen.exit !== 0 || seen.isTimedOut) throw failed(wanted, { seen, output }, job.spec.setup);
    const draft = draftIn(join(equipment.home, "setups"), id);
    const left = await checkout.untracked().catch((thrown: unknown) => {
      throw thrown instanceof Unsettled ? new SetupFailed(toFailure(thrown), isBase) : thrown;
    });
    await keepPrepared(checkout.root, left, { draft, folder });
  } finally {
    await clearAway(checkout, equipment);
  }
}

async function runTraced(setup: Setup, tree: string, cwd: string, around: Around): Promise<CommandOutcome> {
  const { job } = around;
  const attributes = { [attribute.tree]: tree };
  const span = job.tracer.start(setupSpan, { parent: job.span, attributes });
  try {
    const { run, timeout_ms: timeoutMs, network, secrets } = setup;
    const { traceparent } = span;
    const seen = await runInSandbox({ what: "the setup", run, cwd, timeoutMs, network, secrets, traceparent }, around);
    span.set({ [attribute.exitCode]: seen.exit ?? undefined, [attribute.durationMs]: seen.durationMs });
    span.end(seen.exit === 0 ? {} : { status: "error", message: describeEnding(seen) });
    return seen;
  } finally {
    span.end({ status: "error", message: "stopped" });
  }
}

function failed(
  { setup, isBase }: Wanted,
  { seen, output }: { seen: CommandOutcome; output: string },
  written: Setup | undefined,
): SetupFailed {
  const missed = setup.secrets?.length === written?.secrets?.length ? [] : (written?.secrets ?? []);
  const without = missed.length > 0 ? `; without ${missed.join(", ")}: an agent may have changed what it installs` : "";
  const reason = {
    code: "setup_failed",
    message: `setup ${JSON.stringify(commandText(setup.run))}: ${describeEnding(seen)}${without}`,
    remedy:
      missed.length > 0
        ? "let a run step of the job change the dependencies before any agent works, or set up without secrets"
        : "run the command in a fresh clone and mend what it says; nothing was checked without it",
    log: lastLines(output),
  };
  return new SetupFailed(reason, isBase);
}

const underWay = new Map<string, Promise<unknown>>();

/** Two jobs that want the same folder: the second finds what the first made, or tries for itself. */
async function oneAtATime<T>(folder: string, work: () => Promise<T>): Promise<T> {
  for (let other = underWay.get(folder); other; other = underWay.get(folder)) await other.catch(() => {});
  const own = work();
  underWay.set(folder, own);
  try {
    return await own;
  } finally {
    underWay.delete(folder);
  }
}
