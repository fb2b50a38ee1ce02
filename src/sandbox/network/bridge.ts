import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { connect, createServer } from "node:net";
import { constants } from "node:os";

/**
 * Runs inside the sandbox, where there is no network: passes connections to one port of its loopback on to the socket
 * of the proxy outside, and is otherwise the command that it starts. It decides nothing; without it there is no way out.
 * A program of its own, alone in its file: nothing else of Sheaf is in there.
 */
const [socket = "", port = "", program = "", ...words] = process.argv.slice(2);

const door = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const proxy = connect({ path: socket, allowHalfOpen: true });
  client.on("error", () => proxy.destroy()).on("close", () => proxy.destroySoon());
  proxy.on("error", () => client.destroy()).on("close", () => client.destroySoon());
  client.pipe(proxy).pipe(client);
});
door.once("error", (cause) => leave(126, `the way to the network could not be opened: ${cause.message}`));
door.listen({ host: "127.0.0.1", port: Number(port) }, run);

function run(): void {
  const child = spawn(program, words, { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) {
    process.on(signal, () => child.kill(signal));
  }
  child.once("error", (cause: NodeJS.ErrnoException) => {
    const isMissing = cause.code === "ENOENT" || cause.code === "ENOTDIR";
    const reason = cause.code === "EACCES" ? "it may not be run" : cause.message;
    leave(isMissing ? 127 : 126, `${JSON.stringify(program)}: ${isMissing ? "no such program" : reason}`);
  });
  child.once("exit", (code, signal) => (signal ? dieBy(signal) : process.exit(code ?? 1)));
}

/** Ends as the command did. Signals that Node takes for itself become the number that a shell would give. */
function dieBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  if (signal !== "SIGUSR1" && signal !== "SIGPIPE") process.kill(process.pid, signal);
  setTimeout(() => process.exit(128 + constants.signals[signal]), 1_000);
  if (signal === "SIGUSR1" || signal === "SIGPIPE") process.exit(128 + constants.signals[signal]);
}

function leave(exit: number, message: string): void {
  writeSync(2, `${message}\n`);
  process.exit(exit);
}
