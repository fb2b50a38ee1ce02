import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NetworkGrant } from "../driver.ts";
import { ownMark } from "../process-life.ts";
import { type CommandProxy, createProxy } from "./proxy.ts";
import { proxyEnvironment } from "./proxy-environment.ts";
import { createResolve, type Resolve } from "./resolve.ts";

/**
 * The network of one command in a sandbox that has none: a proxy outside, on a socket in a folder that only the
 * command's account can open, and a bridge inside that leads there. Both end with the command.
 */
export interface OpenNetwork extends AsyncDisposable {
  /** Files to show read-only inside the sandbox: of this machine, and where. */
  binds: readonly { from: string; to: string }[];
  /** Variables that tell programs of the proxy; they stand above those of the command's author. */
  env: Readonly<Record<string, string>>;
  /** Goes before the words of the command, inside the sandbox. */
  prefix: readonly string[];
}

export interface NetworkOptions {
  /** As `network.private` of the settings names them. */
  privateHosts: readonly string[];
  /** Absolute folder of ours for sockets; made where it is not there. What is left in it belongs to no process. */
  folder: string;
  /** The account of commands, where it is not our own. */
  owner?: { uid: number; gid: number } | undefined;
  now: () => number;
  resolve?: Resolve | undefined;
}

/** Of the loopback inside; every command has its own. */
const port = 41_777;
const inside = { node: "/run/sheaf/node", socket: "/run/sheaf/proxy.sock" };

export async function openNetwork(grant: NetworkGrant, options: NetworkOptions): Promise<OpenNetwork> {
  const { privateHosts, owner, now, resolve = createResolve() } = options;
  const folder = join(options.folder, `${ownMark()}${randomBytes(8).toString("hex")}`);
  await mkdir(options.folder, { recursive: true, mode: 0o711 });
  await mkdir(folder, { mode: 0o700 });
  // Stays open as long as the socket, whose name is taken away through it.
  const handle = await open(folder, "r");
  const proxy = createProxy(grant, { privateHosts, now, resolve });
  const close = async () => {
    await proxy.close();
    await handle.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await listen(proxy.server, `/proc/self/fd/${handle.fd}/${socketName}`);
    if (owner) for (const path of [join(folder, socketName), folder]) await chown(path, owner.uid, owner.gid);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const bridge = bridgeFile();
  return {
    binds: [
      { from: join(folder, socketName), to: inside.socket },
      { from: process.execPath, to: inside.node },
      { from: bridge.from, to: bridge.to },
    ],
    env: proxyEnvironment(port),
    // One thread less to start, and a heap that a few connections fill.
    prefix: [inside.node, "--no-warnings", "--max-old-space-size=128", bridge.to, inside.socket, String(port)],
    [Symbol.asyncDispose]: close,
  };
}

const socketName = "proxy.sock";

/** The address of a socket holds 107 bytes, and our paths may be longer: the folder is named by an open file of it. */
async function listen(server: CommandProxy["server"], path: string): Promise<void> {
  server.listen({ path, backlog: 256 });
  await once(server, "listening");
}

/** Its name inside says that it is a module: no package.json is there to tell. */
function bridgeFile(): { from: string; to: string } {
  const isSource = import.meta.url.endsWith(".ts");
  const from = fileURLToPath(new URL(isSource ? "bridge.ts" : "bridge.js", import.meta.url));
  return { from, to: `/run/sheaf/bridge.${isSource ? "mts" : "mjs"}` };
}
