import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createCoordinator, type LocalCoordinator } from "../../src/coordinator/coordinator.ts";
import type { Equipment } from "../../src/coordinator/equipment.ts";
import { createModelDirectory } from "../../src/coordinator/gate/model-directory.ts";
import { openSpending } from "../../src/coordinator/gate/spending.ts";
import { openThreads } from "../../src/coordinator/threads/open-threads.ts";
import type { Database } from "../../src/db/database.ts";
import { storeSpans } from "../../src/db/store-spans.ts";
import { createWriter } from "../../src/db/writer.ts";
import type { Clock } from "../../src/protocol/ids.ts";
import type { JobSpec, NamedTask } from "../../src/protocol/job.ts";
import type { Step } from "../../src/protocol/step.ts";
import type { Resolve } from "../../src/sandbox/network/resolve.ts";
import { openSandbox } from "../../src/sandbox/open-sandbox.ts";
import { modelSettingsOf } from "../../src/settings/models.ts";
import { writtenSettings } from "../../src/settings/written.ts";
import { createRedactor } from "../../src/telemetry/redact.ts";
import { createSpanHub } from "../../src/telemetry/span-hub.ts";
import { resolveBase } from "../../src/workspace/base.ts";
import { createGit } from "../../src/workspace/git.ts";
import { openRepository, type Repository } from "../../src/workspace/repository.ts";

const clock: Clock = { now: Date.now, random: randomBytes };
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Everything a coordinator works with, real, in a folder that goes when it is closed. */
export interface TestBench extends AsyncDisposable {
  folder: string;
  equipment: Equipment;
  coordinator: LocalCoordinator;
  /** A small git repository with these files, and a job on it without steps, tasks or checks. */
  repository(files: Readonly<Record<string, string>>): Promise<{ repository: Repository; spec: JobSpec }>;
}

export async function openTestBench({
  openDatabase,
  sandbox: mode = "bubblewrap",
  read = [],
  privateHosts = [],
  resolve,
  secrets = {},
  settings = {},
  variables = {},
  ...threads
}: {
  /** What `sheaf.config.yaml` would say of models, endpoint and budget. */
  settings?: Partial<Record<"models" | "endpoint" | "budget", unknown>>;
  /** The environment, such as ANTHROPIC_BASE_URL. */
  variables?: Readonly<Record<string, string>>;
  /** What runs commands; external where a test has to see from outside what a command does. */
  sandbox?: "bubblewrap" | "external";
  /** Folders of tools that commands may read. */
  read?: readonly string[];
  /** Hosts of the operator's own, and where names lead instead of where the DNS says. */
  privateHosts?: readonly string[];
  resolve?: Resolve;
  /** What the operator keeps for jobs; hidden from all that is recorded. */
  secrets?: Readonly<Record<string, string>>;
  threads?: number;
  heapMb?: number;
  stallMs?: number;
  lookMs?: number;
  worker?: URL;
  /** Default the server that all tests share; outside tests there is none. */
  openDatabase?: () => Promise<Database>;
} = {}): Promise<TestBench> {
  const stack = new AsyncDisposableStack();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "sheaf-bench-")));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const open = openDatabase ?? (await import("./shared-database.ts")).openSharedDatabase;
  const database = stack.use(await open());
  const writer = stack.use(createWriter(clock, database));
  const redact = createRedactor(Object.values(secrets));
  const hub = createSpanHub({
    store: (rows) => storeSpans(rows, database),
    redact,
    clock,
    warn: () => {},
  });
  stack.defer(() => hub.close());
  const count = threads.threads ?? 2;
  const opened = openThreads({ ...threads, threads: count }, clock);
  stack.defer(() => opened.pool.close());
  stack.defer(() => opened.watch.close());
  const git = createGit({ path: systemPath });
  const home = join(folder, "home");
  const driver = await openSandbox(
    {
      ...sandboxOptions,
      ...{ mode, read, privateHosts, path: systemPath, home: folder, dataFolder: home },
      ...(resolve ? { resolve } : {}),
    },
    clock,
  );
  const sandbox = async () => driver;
  const ceiling = {
    permissions: { ask: [], deny: [] },
    network: { private: privateHosts },
    secrets,
    approvalMs: 60_000,
  };
  const pool = () => opened;
  const modelSettings = modelSettingsOf(writtenSettings.parse(settings), undefined);
  const models = createModelDirectory({
    settings: modelSettings,
    variable: (name) => variables[name],
    now: () => clock.now(),
  });
  const spending = openSpending(modelSettings, { clock, database });
  const equipment = {
    clock,
    home,
    node: "test",
    version: "test",
    threads: count,
    git,
    database,
    writer,
    hub,
    redact,
    pool,
    sandbox,
    ceiling,
    models,
    spending,
  };
  const openOn = async (files: Readonly<Record<string, string>>) => {
    const place = join(folder, `repository-${randomBytes(3).toString("hex")}`);
    plantRepository(place, files);
    const repository = await openRepository(place, { home, git });
    stack.defer(() => repository.close());
    const { base } = await resolveBase(repository, "HEAD", { includeDirty: false });
    // Two repositories of one second and the same files have one commit, and their tasks one key.
    return { repository, spec: { ...emptyJob, base, fresh: true as const } };
  };
  const coordinator = stack.use(createCoordinator(equipment));
  return { folder, equipment, coordinator, repository: openOn, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const sandboxOptions = {
  limits: { memoryBytes: 8 * 2 ** 30, processes: 1_024, scratchBytes: 2 ** 30 },
  packageFolder: join(import.meta.dirname, "../.."),
};

/** A git repository with one commit, without anything of the machine's own configuration. */
export function plantRepository(place: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), text);
  }
  execFileSync("sh", ["-ec", plant], { cwd: place, stdio: "pipe" });
}

/** In one process of ours: a large one takes longer to start another than git does for all of it. */
const plant = [
  "git init -q -b main",
  "git add -A",
  "git -c user.name=Test -c user.email=test@localhost -c maintenance.auto=false commit -q -m base",
].join("\n");

const emptyJob: Omit<JobSpec, "base"> = {
  name: "job",
  inputs: {},
  split: { by: "none" },
  before: [],
  after: [],
  each: [],
  tasks: [],
  checks: [],
  permissions: { allow: [], deny: [] },
  land: "green",
  publish: { kind: "none" },
  limits: { time_ms: 60_000, idle_ms: 30_000 },
};

/** A task that writes one file, or does what its prompt says in a sabotaged thread. */
export function writingTask(id: string, options: { prompt?: string } = {}): NamedTask {
  const path = `${id}/out.txt`;
  const turns = [
    { calls: [{ tool: "write", input: { file_path: path, content: `written by ${id}\n` } }] },
    { calls: [{ tool: "submit", input: { summary: `${id} is done` } }] },
  ];
  const step: Step = {
    kind: "agent",
    agent: { name: id, instructions: "", model: { provider: "scripted", file: `${id}.yaml`, turns } },
    prompt: options.prompt ?? "write",
  };
  return { id, writes: [{ directories: [id] }], steps: [step] };
}
