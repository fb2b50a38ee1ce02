#!/usr/bin/env node
/**
 * The installed command. It runs on any Node from 20 and imports nothing but Node's own modules, because all else
 * needs 24: under an older Node it hands the terminal to the Node that npm installed beside it. It decides nothing.
 */
import { spawn } from "node:child_process";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

const neededMajor = 24;
/** The child's process title: how it knows that a launcher holds the other end of its channel. */
const launchedTitle = "sheaf";
const exitConfiguration = 78;

if (Number.parseInt(process.versions.node, 10) < neededMajor) launch();
else {
  if (process.title === launchedTitle) endWithLauncher();
  if (process.argv[2] !== "serve") spareOptimiser();
  keepCompiled();
  await import("./main.ts");
}

/**
 * The embedded database is WebAssembly, and to optimise it takes V8 more CPU (0.8 s at the start alone, 2 s with 200
 * agents; Node 24.21) than all but a server that runs for days gets back: no function is, for the first one, which the
 * filter leaves, is an import. Set before the cache of compiled code is opened, which is kept by flags.
 */
function spareOptimiser(): void {
  const isKnown = Number.parseInt(process.versions.node, 10) === neededMajor;
  if (!isKnown) return;
  setFlagsFromString("--wasm-tier-up-filter=0");
  // Each function is checked when it is first called, and most never are: 30 ms of CPU.
  setFlagsFromString("--wasm-lazy-validation");
}

/**
 * Compiled code is kept beside the packages it is made of, where whoever may write could change those as well; in a
 * shared temporary folder, Node's default, others could put theirs. A folder that cannot be written costs nothing.
 */
function keepCompiled(): void {
  const root = new URL(import.meta.url.endsWith(".ts") ? "../" : "../../", import.meta.url);
  nodeModule.enableCompileCache?.(fileURLToPath(new URL("node_modules/.cache/sheaf", root)));
}

function launch(): void {
  const node = packagedNode();
  if (node === undefined) refuse(`${packageName()} is not installed beside it`);
  else handOver(node);
}

function handOver(node: string): void {
  const isWindows = process.platform === "win32";
  const args = [`--title=${launchedTitle}`, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  // In a session of its own it hears a Ctrl-C once, from here, and not a second time from the terminal.
  const child = spawn(node, args, { stdio: ["inherit", "inherit", "inherit", "ipc"], detached: !isWindows });
  const forwarded = ["SIGINT", "SIGTERM", "SIGHUP", ...(isWindows ? [] : (["SIGWINCH"] as const))] as const;
  const forward = (signal: NodeJS.Signals) => void (isWindows || child.kill(signal));
  for (const signal of forwarded) process.on(signal, forward);
  child.on("error", (cause) => refuse(`${node} could not be started (${cause.message})`));
  child.on("exit", (code, signal) => {
    for (const forwardedSignal of forwarded) process.off(forwardedSignal, forward);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

function packageName(): string {
  const system = process.platform === "win32" ? "win" : process.platform;
  return `node-${system}-${process.arch}`;
}

function packagedNode(): string | undefined {
  try {
    const manifest = nodeModule.createRequire(import.meta.url).resolve(`${packageName()}/package.json`);
    return join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
  } catch {
    return undefined;
  }
}

function refuse(why: string): void {
  console.error(`sheaf needs Node ${neededMajor} or newer; this is ${process.versions.node}, and ${why}.`);
  console.error(`Install Node ${neededMajor}, or install sheaf again without --omit=optional.`);
  process.exitCode = exitConfiguration;
}

/** A launcher that was killed cannot forward that; without this its work would go on unseen. */
function endWithLauncher(): void {
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.channel?.unref();
}
