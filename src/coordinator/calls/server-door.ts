import { join } from "node:path";
import { newUuid } from "../../protocol/ids.ts";
import type { ToolServer } from "../../protocol/job.ts";
import { describeEnding, lastLines } from "../../sandbox/command-ending.ts";
import type { CommandOutcome, TalkPipes } from "../../sandbox/driver.ts";
import { createJudgedFetch, portOf } from "../../sandbox/network/judged-fetch.ts";
import { createResolve } from "../../sandbox/network/resolve.ts";
import { serverSpan } from "../../telemetry/semconv.ts";
import type { Span } from "../../telemetry/thread-tracer.ts";
import { PipeTransport } from "../../tool-servers/pipe-transport.ts";
import type { Door } from "../../tool-servers/tool-server.ts";
import { urlTransports } from "../../tool-servers/url-transports.ts";
import { createWorkspace, type Workspace } from "../../workspace/workspace.ts";
import { inflateFor } from "../commands/inflate-for.ts";
import { namedSecrets } from "../commands/named-secrets.ts";
import { networkTargets } from "../commands/network-targets.ts";
import { runInSandbox } from "../commands/run-in-sandbox.ts";
import { secretFinder } from "../commands/secret-finder.ts";
import type { Around } from "../commands/setup.ts";
import { clearAway } from "../tasks/clear-away.ts";
import { scopeOf } from "../tasks/scope-of.ts";

/**
 * How a job's server of tools is reached. A program runs in the sandbox like any command, in a checkout of the job's base
 * that is its own and goes with it: it sees no agent's work, and nothing of it is taken. An address is reached from here,
 * within the operator's network.
 */
export function doorTo(server: ToolServer, around: Around): Door {
  return server.kind === "command"
    ? { mostStarts: 2, open: () => openCommand(server, around) }
    : { mostStarts: 4, open: () => openUrl(server, around) };
}

type CommandServer = Extract<ToolServer, { kind: "command" }>;
type UrlServer = Extract<ToolServer, { kind: "url" }>;
type Opened = Awaited<ReturnType<Door["open"]>>;

async function openCommand(server: CommandServer, around: Around): Promise<Opened> {
  const workspace = await checkoutFor(around);
  const span = around.job.tracer.start(serverSpan(server.name), { parent: around.job.span });
  const stop = new AbortController();
  let complaint = "";
  let ending = "";
  const begun = Promise.withResolvers<TalkPipes | undefined>();
  const over = runServer(server, { ...around, workspace, span, signal: stop.signal, talk: begun.resolve }).then(
    (outcome) => {
      ending = around.equipment.redact(`${describeEnding(outcome)} ${lastLines(outcome.output.toString())}`.trim());
      begun.resolve(undefined);
    },
    (thrown: unknown) => begun.reject(thrown),
  );
  const end = (why?: string) => {
    complaint ||= why ?? "";
    stop.abort(new Error("the server is let go"));
  };
  const close = async () => {
    end();
    await over;
    span.end(complaint === "" ? {} : { status: "error", message: complaint });
    await clearAway(workspace, around.equipment);
  };
  try {
    const pipes = await begun.promise;
    const words = pipes ? hear(pipes, around) : () => ending.slice(-mostWords);
    const lastWords = () => [complaint, words()].filter((text) => text !== "").join("; ");
    return { transports: pipes ? [() => new PipeTransport({ ...pipes, end })] : [], close, lastWords };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

const mostWords = 1_000;
const mostHeard = 16_384;

/** The end of what it writes to its standard error. */
function hear({ stderr }: TalkPipes, { equipment }: Around): () => string {
  let heard = Buffer.alloc(0);
  stderr.on("data", (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk.subarray(-mostHeard)]).subarray(-mostHeard);
  });
  return () => equipment.redact(lastLines(heard.toString())).slice(-mostWords);
}

interface Place extends Around {
  workspace: Workspace;
  span: Span;
  signal: AbortSignal;
  talk(pipes: TalkPipes): void;
}

async function runServer({ name, run, network, secrets }: CommandServer, place: Place): Promise<CommandOutcome> {
  const { workspace, job, span, signal, talk } = place;
  const what = `the server ${name}`;
  // The job's own end is what ends it; a timer cannot wait longer than that many milliseconds.
  const timeoutMs = Math.min(job.spec.limits.time_ms, 2 ** 31 - 1);
  const { traceparent } = span;
  const order = { what, run, cwd: workspace.root, timeoutMs, network, secrets, traceparent, signal, talk };
  return runInSandbox({ ...order, isWithoutGit: true }, place);
}

/** Files that no agent of the job may read are not in it. */
async function checkoutFor({ job, equipment }: Around): Promise<Workspace> {
  const { tree } = job.spec.base;
  const directory = join(equipment.home, "checkouts", newUuid(equipment.clock));
  const isSecret = secretFinder({ job, equipment });
  const workspace = await createWorkspace(job.repository, { directory, tree, isSecret });
  const scope = scopeOf({ writes: [] }, undefined, { spec: job.spec, ceiling: equipment.ceiling, tools: [] });
  try {
    await inflateFor({ job, equipment, workspace, order: { scope, tree } });
    return workspace;
  } catch (thrown) {
    await clearAway(workspace, equipment);
    throw thrown;
  }
}

async function openUrl({ url: written, secret_headers = {} }: UrlServer, { job, equipment }: Around): Promise<Opened> {
  const { ceiling } = equipment;
  const url = new URL(written);
  await networkTargets([`${url.hostname}:${portOf(url)}`], { ...job, ceiling });
  const values = namedSecrets(Object.values(secret_headers), ceiling);
  const headers = Object.entries(secret_headers).map(([header, name]) => [header, values[name] ?? ""]);
  const stop = new AbortController();
  const heard = { bytes: 0, events: 0 };
  const fetch = createJudgedFetch(url, {
    heard,
    resolve: createResolve(),
    privateHosts: ceiling.network.private,
    signal: AbortSignal.any([job.signal, stop.signal]),
    headers: Object.fromEntries(headers),
  });
  const close = async () => stop.abort(new Error("the server is let go"));
  return {
    transports: urlTransports(url, fetch, () => Object.assign(heard, { bytes: 0, events: 0 })),
    close,
    lastWords: () => "",
  };
}
