import { hostname } from "node:os";
import { join } from "node:path";
import { makeDataFolder } from "../cli/data-folder.ts";
import type { OpenOptions, Session } from "../cli/session.ts";
import type { Terminal } from "../cli/terminal.ts";
import { systemClock as clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { clearUp } from "../coordinator/clear-up.ts";
import { createCoordinator, type LocalCoordinator } from "../coordinator/coordinator.ts";
import type { Equipment } from "../coordinator/equipment.ts";
import { keyVariables } from "../coordinator/gate/endpoint-of.ts";
import { createModelDirectory } from "../coordinator/gate/model-directory.ts";
import { openSpending } from "../coordinator/gate/spending.ts";
import { openStandstills, patiently } from "../coordinator/patience.ts";
import { watchRoom } from "../coordinator/room.ts";
import { openThreads } from "../coordinator/threads/open-threads.ts";
import { openAudit } from "../db/audit.ts";
import type { Database } from "../db/database.ts";
import { type FolderLock, lockFolder } from "../db/lock.ts";
import { openDatabase } from "../db/open.ts";
import { storeSpans } from "../db/store-spans.ts";
import { createWriter } from "../db/writer.ts";
import { toFailure } from "../protocol/failure.ts";
import { closeInherited } from "../sandbox/close-inherited.ts";
import type { SandboxOptions } from "../sandbox/open-sandbox.ts";
import type { Settings } from "../settings.ts";
import { openExport } from "../telemetry/open-export.ts";
import { parseOtlpSettings } from "../telemetry/otlp-settings.ts";
import { createRedactor, type Redactor } from "../telemetry/redact.ts";
import { createSpanHub, type SpanHub } from "../telemetry/span-hub.ts";
import type { Git } from "../workspace/git.ts";
import { hearOfJobs } from "./hear-of-jobs.ts";
import { serveSocket } from "./serve-socket.ts";

/** This process is the one that works: everything opened in order, and closed in the reverse order. */
export interface SessionOrder {
  /** The verb, for whoever finds the data folder in use. */
  command: string;
  config: Config;
  cwd: string;
  options: OpenOptions;
  terminal: Terminal;
  git: Git;
  version: string;
  /** Where migrations/ and dist/ are. */
  packageFolder: string;
}

/** Throws Fault `locked` while another process owns the data folder. */
export async function openOwnSession(order: SessionOrder, settings: Settings): Promise<Session> {
  closeInherited();
  const stack = new AsyncDisposableStack();
  try {
    const { database, lock } = await openStore(order, stack);
    const writer = stack.use(createWriter(clock, patiently(database)));
    const redact = createRedactor(secretsOf(order.config, settings));
    const hub = await openHub({ ...order, redact }, database, stack);
    const equipment: Equipment = equip({ ...order, settings }, { database, writer, hub, redact }, stack);
    if (database.kind === "postgres" && order.options.isLong) equipment.jobs = await openJobs(equipment, stack);
    const { standstills } = database;
    if (standstills) equipment.room = watchRoom(order.config.home, { room: standstills.room, now: clock.now });
    equipment.listeners = await hearOfJobs({ ...order, settings, redact }, stack);
    if (equipment.jobs && order.command === "serve") equipment.spread = await openRuns(equipment, stack);
    if (database.kind === "pglite") await clearUp(equipment);
    const coordinator = stack.use(createCoordinator(equipment));
    // Whoever stays goes on with what is left of a process before; whoever only looks leaves it as it is.
    if (database.kind === "pglite" && order.options.isLong) await goOn(coordinator, order.terminal);
    coordinator.join({ isIdle: order.command !== "serve" });
    const audit = openAudit(equipment, database);
    const own = { equipment, coordinator, settings, audit };
    const session: Session = {
      coordinator,
      own,
      audit: audit.list,
      reach: "own",
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
    if (lock && order.options.isLong) stack.use(await serveOthers(own, lock, order));
    return session;
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}

/** Most jobs of one node at a time. */
const mostJobs = 1_000;

async function openJobs({ clock, database, node }: Equipment, stack: AsyncDisposableStack): Promise<Equipment["jobs"]> {
  const { openQueue } = await import("../queue/open-queue.ts");
  const limits = { perNode: mostJobs };
  const jobs = await openQueue({ name: "jobs", database, clock, node, limits, mostCrashes, isEmbedded: false });
  stack.defer(() => jobs.close());
  return jobs;
}

/** Most runs of one node for all jobs: agents that wait for a model hold little. */
const mostRuns = 256;
/** Taken at once: what one node does not take in a moment is another one's. */
const runsPerLook = 8;

async function openRuns(equipment: Equipment, stack: AsyncDisposableStack): Promise<Equipment["spread"]> {
  const [{ openQueue }, { openSpread }] = await Promise.all([
    import("../queue/open-queue.ts"),
    import("../coordinator/spread/spread.ts"),
  ]);
  const { clock, database, node } = equipment;
  const limits = { perNode: mostRuns, perLook: runsPerLook };
  const runs = await openQueue({ name: "runs", database, clock, node, limits, mostCrashes, isEmbedded: false });
  stack.defer(() => runs.close());
  const spread = openSpread(runs, equipment);
  stack.defer(() => spread.close());
  return spread;
}

/** A job that outlives more nodes than these is taken for what ends them. */
const mostCrashes = 10;

async function goOn(coordinator: LocalCoordinator, terminal: Terminal): Promise<void> {
  for (const { started, done, planned } of await coordinator.takeUp()) {
    const far = planned === 0 ? "it had no plan yet" : `${done} of ${planned} tasks are done`;
    terminal.tell(`resume ${started.handle}, whose process ended before it did: ${far}`);
  }
}

/** Where no socket can be made, such as on some shared folders, others wait until this process is done. */
async function serveOthers(
  own: NonNullable<Session["own"]>,
  lock: FolderLock,
  { config, version, terminal }: SessionOrder,
): Promise<AsyncDisposable> {
  try {
    return await serveSocket({ ...own, home: config.home, lock, version });
  } catch (thrown) {
    const { message } = toFailure(thrown);
    terminal.tell(`warning other commands on this data folder have to wait for this one: ${message}`);
    return { [Symbol.asyncDispose]: async () => {} };
  }
}

/** What this process was given and nobody else may read. */
function secretsOf({ otel, databaseUrl, variable }: Config, { webhooks, ceiling, models }: Settings): string[] {
  const headers = Object.values(parseOtlpSettings(otel)?.headers ?? {});
  const password = databaseUrl && URL.canParse(databaseUrl) ? new URL(databaseUrl).password : "";
  // Decodes leniently: a password that is not well-formed percent-encoding is no reason to fail here.
  const decoded = new URLSearchParams(`p=${password}`).get("p") ?? "";
  const signing = webhooks.map(({ secret }) => secret);
  const keys = [models.endpoint.key, ...keyVariables.map(variable)].map((key) => key?.trim() ?? "");
  const all = [...headers, password, decoded, ...signing, ...keys, ...Object.values(ceiling.secrets)];
  return all.filter((secret) => secret !== "");
}

/** The embedded database has one owner, held by the folder's lock; PostgreSQL sorts its clients out by itself. */
async function openStore(
  order: SessionOrder,
  stack: AsyncDisposableStack,
): Promise<{ database: Database; lock: FolderLock | undefined }> {
  const { config, packageFolder, terminal, command } = order;
  let lock: FolderLock | undefined;
  if (config.databaseUrl === undefined) {
    await makeDataFolder(config.home);
    const taker = { pid: process.pid, command: `sheaf ${command}`, startedAt: new Date() };
    lock = stack.use(await lockFolder(config.home, taker));
  }
  const database = await openDatabase({
    url: config.databaseUrl,
    folder: config.home,
    template: join(packageFolder, "dist", "template"),
    migrations: join(packageFolder, "migrations"),
    onSlowStep: (what) => terminal.tell(what),
  });
  stack.use(database);
  if (!order.options.isLong) return { database, lock };
  const standstills = openStandstills(clock.now, (message) => terminal.tell(message));
  return { database: { ...database, standstills }, lock };
}

/** The room that is left is for the log. */
function isFull({ kind, standstills }: Database): boolean {
  return kind === "pglite" && standstills?.room.reason !== undefined;
}

async function openHub(
  order: SessionOrder & { redact: Redactor },
  database: Database,
  stack: AsyncDisposableStack,
): Promise<SpanHub> {
  const { config, version, terminal, redact } = order;
  const otlp = parseOtlpSettings(config.otel);
  const hub = createSpanHub({
    // They are kept, and stored once there is room.
    store: (rows) => (isFull(database) ? Promise.reject(new Error("the disk is full")) : storeSpans(rows, database)),
    openFeed: otlp && (await openExport(otlp, { version, nodeId: nodeName() })),
    redact,
    clock,
    warn: (message) => terminal.tell(`warning ${message}`),
  });
  stack.defer(() => hub.close());
  return hub;
}

function equip(
  { config, settings, git, packageFolder, terminal, version }: SessionOrder & { settings: Settings },
  stores: Pick<Equipment, "database" | "writer" | "hub" | "redact">,
  stack: AsyncDisposableStack,
): Equipment {
  const threads = settings.threads.count ?? config.threads;
  let opened: ReturnType<Equipment["pool"]> | undefined;
  const pool = () => {
    if (opened) return opened;
    const { pool: threadPool, watch } = openThreads({ ...settings.threads, threads }, clock);
    stack.defer(() => threadPool.close());
    stack.defer(() => watch.close());
    opened = { pool: threadPool, watch };
    return opened;
  };
  let tried: ReturnType<Equipment["sandbox"]> | undefined;
  const sandbox = () => (tried ??= trySandbox(sandboxOptions({ config, settings, packageFolder }), threads));
  const { ceiling } = settings;
  const warn = (message: string) => terminal.tell(`warning ${stores.redact(message)}`);
  const now = () => clock.now();
  const models = createModelDirectory({ settings: settings.models, variable: config.variable, now });
  const spending = openSpending(settings.models, { clock, database: patiently(stores.database) });
  const asking = { models, spending };
  return {
    clock,
    home: config.home,
    node: nodeName(),
    version,
    threads,
    git,
    pool,
    sandbox,
    ceiling,
    warn,
    ...asking,
    ...stores,
  };
}

/** Most commands run none of a job's, and need not load what would. */
async function trySandbox(options: SandboxOptions, threads: number): ReturnType<Equipment["sandbox"]> {
  const [{ openSandbox }, { inTurn }] = await Promise.all([
    import("../sandbox/open-sandbox.ts"),
    import("../sandbox/in-turn.ts"),
  ]);
  return inTurn(await openSandbox(options, clock), threads * commandsPerThread);
}

/** Commands under way for each thread: most wait for a disk or a socket now and then. */
const commandsPerThread = 4;

function sandboxOptions({
  config,
  settings,
  packageFolder,
}: Pick<SessionOrder, "config" | "packageFolder"> & { settings: Settings }) {
  const { path, userHome: home, home: dataFolder } = config;
  const privateHosts = settings.ceiling.network.private;
  return { ...settings.sandbox, privateHosts, path, home, packageFolder, dataFolder };
}

function nodeName(): string {
  return `${hostname()}/${process.pid}`;
}
