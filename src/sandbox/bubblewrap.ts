import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { Fault } from "../protocol/failure.ts";
import type { Clock } from "../protocol/ids.ts";
import { type Account, accountOf } from "./account.ts";
import { environmentInside, isUnspeakable } from "./bubblewrap-environment.ts";
import { accountFiles, type KeptFiles, keepFiles } from "./bubblewrap-files.ts";
import { startBubblewrap } from "./bubblewrap-start.ts";
import { watchBubblewrap } from "./bubblewrap-status.ts";
import { shownTo } from "./bubblewrap-view.ts";
import { closeInherited } from "./close-inherited.ts";
import { isUnstarted } from "./command-words.ts";
import { forRootWithoutMounts } from "./diagnose-start.ts";
import type { Command, CommandOutcome, Sandbox } from "./driver.ts";
import { endLeftovers, networkFolder, pipeFolder } from "./end-leftovers.ts";
import { type Followed, followChild } from "./follow-child.ts";
import { giveTo } from "./give-to.ts";
import { handOut } from "./hand-out.ts";
import { keepEntrance } from "./keep-entrance.ts";
import { openNetwork } from "./network/open-network.ts";
import type { SandboxOptions } from "./open-sandbox.ts";
import { createOutputPipes, type OutputPipes } from "./output-pipes.ts";
import { refusalOf, refusedOutcome } from "./refused-start.ts";
import { seccompProgram } from "./seccomp.ts";
import { type SystemFolders, systemFolders } from "./system-folders.ts";
import { type ToolFolders, toolFolders } from "./tool-folders.ts";

/**
 * Runs commands in namespaces of their own, as an account without rights, under a filter of system calls. It never runs
 * a command with less than all of that: where one part cannot be had, there is no command.
 */
export function createBubblewrap(options: SandboxOptions, clock: Clock): Sandbox {
  const box = openBox(options, clock);
  return {
    mode: "bubblewrap",
    run: (command) => keepEntrance(command.cwd, () => runCommand(command, box)),
    placeOf: () => box.place,
    handOver: (root) => giveTo(box.account, root),
  };
}

/** What is the same for every command of this process. */
export interface Box {
  options: SandboxOptions;
  account: Account;
  system: SystemFolders;
  tools: ToolFolders;
  /** Where every tree is seen, so that what a setup wrote down about it is true in every checkout. */
  place: string;
  /** The filter, then what comes to lie at `files`. */
  kept: KeptFiles;
  pipes: OutputPipes;
  files: readonly string[];
  env: Readonly<Record<string, string>>;
  now: () => number;
}

function openBox(options: SandboxOptions, clock: Clock): Box {
  closeInherited();
  endLeftovers(options.dataFolder);
  const account = accountOf(options.user, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
  const tools = toolFolders(options);
  const system = systemFolders();
  const files = accountFiles(account);
  const contents = [filterOf(process.arch), ...files.map(({ content }) => content)];
  return {
    options,
    account,
    tools,
    system,
    // What lies below a folder of that name on this machine could not be shown beside it.
    place: existsSync("/workspace") ? "/sheaf/workspace" : "/workspace",
    kept: keepFiles(join(options.dataFolder, "sandbox"), { contents, copied: system.copied }),
    files: [...files.map(({ name }) => `/etc/${name}`), ...system.copied],
    pipes: createOutputPipes(pipeFolder(options.dataFolder)),
    env: environmentInside(tools.path),
    now: () => clock.now(),
  };
}

function filterOf(processor: string): Buffer {
  if (processor === "x64" || processor === "arm64") return seccompProgram(processor);
  throw new Fault("sandbox_unavailable", `there is no filter of system calls for the processor ${processor}`, {
    remedy: "run Sheaf on x86_64 or arm64, or in a container with sandbox: { mode: external }",
  });
}

async function runCommand(command: Command, box: Box): Promise<CommandOutcome> {
  command.signal.throwIfAborted();
  if (isUnspeakable(command)) return refused(command.run, "ERR_INVALID_ARG_VALUE");
  await using network = command.network?.targets.length
    ? await openNetwork(command.network, networkOptions(box))
    : undefined;
  const { binds = [], prefix = [] } = network ?? {};
  const traced = command.traceparent ? { TRACEPARENT: command.traceparent } : {};
  const env = { ...traced, ...network?.env };
  const shown = shownTo(command, { tools: box.tools.folders, place: box.place, binds });
  const started = box.now();
  const begun = startBubblewrap({ command, shown, prefix, env, ...(await box.pipes.take()) }, box);
  if ("said" in begun) return refusedOutcome(begun);
  const watched = watchBubblewrap(begun.child, begun.status);
  const followed = await followChild(begun.child, command, watched.kill, handOut(command, begun));
  await watched.gone();
  command.signal.throwIfAborted();
  return outcomeOf(command, { followed, ...endOf(followed, watched), durationMs: box.now() - started });
}

function networkOptions({ options, account, now }: Box) {
  const folder = networkFolder(options.dataFolder);
  const { privateHosts, resolve } = options;
  return { privateHosts, resolve, folder, owner: account.isOther ? account : undefined, now };
}

function refused(run: Command["run"], code: string): CommandOutcome {
  const refusal = refusalOf(run, Object.assign(new Error(code), { code }));
  return refusedOutcome(refusal ?? { exit: 126, said: `${code}\n` });
}

type End = Pick<CommandOutcome, "exit" | "signal">;

/**
 * bubblewrap says of a command that a signal ended only 128 and its number, as a shell would. That number is named
 * where the signal was ours; of others nobody can tell it from an exit code. Throws where there never was a command.
 */
function endOf({ end, isTimedOut, kept }: Followed, watched: ReturnType<typeof watchBubblewrap>): End {
  if ("refused" in end) throw unavailable(end.refused.message, end.refused);
  const exit = watched.exitCode();
  const sent = watched.sent();
  if (sent !== undefined && exit === 128 + constants.signals[sent]) return { exit: null, signal: sent };
  if (exit !== undefined && end.exit !== null) return { exit, signal: null };
  if (end.signal !== null || isTimedOut || sent !== undefined) return { exit: null, signal: end.signal ?? "SIGKILL" };
  throw unavailable(kept().output.toString().trim() || `bubblewrap ended with ${end.exit}`);
}

function unavailable(saw: string, cause?: Error): Fault {
  const remedy = /^(unshare|mount): /.test(saw)
    ? forRootWithoutMounts
    : "`sheaf doctor` says what is missing on this machine";
  return new Fault("sandbox_unavailable", `the sandbox could not be set up: ${saw}`, { remedy, cause });
}

function outcomeOf(
  { run }: Command,
  { followed, exit, signal, durationMs }: End & { followed: Followed; durationMs: number },
): CommandOutcome {
  const outcome = { exit, signal, isTimedOut: followed.isTimedOut, durationMs, ...followed.kept() };
  if (!isUnstarted(run, outcome)) return outcome;
  const code = outcome.exit === 127 ? "ENOENT" : /too long/.test(outcome.output.toString()) ? "E2BIG" : "EACCES";
  return { ...refused(run, code), durationMs };
}
