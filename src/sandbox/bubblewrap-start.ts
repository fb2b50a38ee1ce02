import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, writeFileSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { Fault } from "../protocol/failure.ts";
import type { Box } from "./bubblewrap.ts";
import { bubblewrapArguments } from "./bubblewrap-arguments.ts";
import { variableArguments } from "./bubblewrap-environment.ts";
import type { Shown } from "./bubblewrap-view.ts";
import { commandWords, listPlace } from "./command-words.ts";
import { bubblewrapProgram } from "./diagnose-installation.ts";
import type { Command } from "./driver.ts";
import type { OutputPipe } from "./output-pipes.ts";
import { reachFor } from "./reach.ts";
import { refusalOf } from "./refused-start.ts";
import type { Folder } from "./tool-folders.ts";

/** bubblewrap with one command in it, just begun; what it says of itself comes on `status`. */
export interface Begun {
  child: ChildProcess;
  status: Readable;
  /** Where it is spoken with. */
  stdin: Writable | null;
  stdout: Readable;
  stderr: Readable;
}

interface Order {
  command: Command;
  shown: Shown;
  /** Of its network: words that go before the command's own, and variables that stand above them. */
  prefix: readonly string[];
  env: Readonly<Record<string, string>>;
  stdout: OutputPipe;
  stderr: OutputPipe;
}

/** Descriptors 0 to 2 are the command's. */
const statusAt = 3;
const variablesAt = 4;
const listAt = 5;
const keptAt = 6;

/** Throws Fault `sandbox_unavailable`. That its words are longer than the system takes comes back as data. */
export function startBubblewrap(order: Order, box: Box): Begun | { exit: number; said: string } {
  const { stdout, stderr } = order;
  try {
    return box.kept.open((kept) => start(order, { ...box, descriptors: kept }));
  } catch (cause) {
    for (const pipe of [stdout, stderr]) pipe.stream.destroy();
    const refusal = refusalOf(order.command.run, cause);
    if (refusal) return refusal;
    throw new Fault("sandbox_unavailable", `the sandbox could not be started: ${messageOf(cause)}`, { cause });
  } finally {
    // Only so does the other end see the last of the command's own.
    for (const pipe of [stdout, stderr]) closeSync(pipe.descriptor);
  }
}

function start(order: Order, box: Box & { descriptors: readonly number[] }): Begun {
  const { account, env } = box;
  const { command, stdout, stderr } = order;
  const { program, words, variables, list } = wordsOf(order, box);
  const child = spawn(program, words, {
    cwd: "/",
    detached: true,
    stdio: [
      command.talk ? "pipe" : "ignore",
      stdout.descriptor,
      stderr.descriptor,
      "pipe",
      pipeFor(variables),
      pipeFor(list),
      ...box.descriptors,
    ],
    env: { ...env, ...order.env },
    // The prelude is root's; it takes on the account itself.
    ...(account.isOther && program === bubblewrapProgram ? { uid: account.uid, gid: account.gid } : {}),
  });
  offerToKiller(child);
  write(child, variablesAt, variables);
  write(child, listAt, list);
  const status = child.stdio[statusAt];
  if (!(status instanceof Readable)) throw new Error("bubblewrap was started without its status");
  return { child, status, stdin: child.stdin, stdout: stdout.stream, stderr: stderr.stream };
}

function wordsOf({ command, shown, prefix, env }: Order, box: Box & { descriptors: readonly number[] }) {
  const { words: own, list } = commandWords(command.run, box.options.limits, prefix);
  const sources = [shown.tree, ...shown.folders, ...shown.covers].map(({ source }) => source);
  const reach = reachFor(sources, box.account);
  const reached = (folder: Folder) => ({ ...folder, source: reach.of(folder.source) });
  const view = {
    dataFolder: box.options.dataFolder,
    system: box.system,
    limits: box.options.limits,
    folders: shown.folders.map(reached),
    tree: reached(shown.tree),
    covers: shown.covers.map(reached),
    status: statusAt,
    seccomp: keptAt,
    files: [
      ...box.files.map((place, index) => ({ descriptor: keptAt + 1 + index, place })),
      ...(list === undefined ? [] : [{ descriptor: listAt, place: listPlace }]),
    ],
  };
  const variables = variableArguments(command, { ...box.env, ...env });
  const read = variables.length > 0 ? ["--args", String(variablesAt)] : [];
  const words = [...(reach.prelude ?? []), bubblewrapProgram, ...read, ...bubblewrapArguments(view), "--", ...own];
  const data = variables.map((text) => `${text}\0`).join("");
  return { program: words[0] ?? "", words: words.slice(1), variables: data, list: list ?? "" };
}

function pipeFor(data: string): "pipe" | "ignore" {
  return data === "" ? "ignore" : "pipe";
}

/** Where the other end is gone there is no command to give it to, and that is told elsewhere. */
function write(child: ChildProcess, at: number, data: string): void {
  const stream = child.stdio[at];
  if (!(stream instanceof Writable)) return;
  stream.on("error", () => {});
  stream.end(data);
}

/** When memory runs out, a command goes before Sheaf does. */
function offerToKiller({ pid }: ChildProcess): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, "500");
  } catch {
    // It is gone already, or the kernel has no such choice.
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
