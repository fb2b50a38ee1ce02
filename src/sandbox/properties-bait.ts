import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type NetConnectOpts, type Server } from "node:net";
import { delimiter, join } from "node:path";

/** What lies on this machine for a command to find: files beside its tree, and listeners that answer nobody. */
export interface Bait extends AsyncDisposable {
  /** Two trees of commands, empty. */
  tree: string;
  otherTree: string;
  read: readonly string[];
  open: readonly string[];
  make: readonly string[];
  connect: readonly NetConnectOpts[];
  /** Of the operator's PATH, those that are there. */
  folders: readonly string[];
  /** What is different on this machine from before. */
  changed(): Promise<string[]>;
}

export async function layBait(options: { dataFolder: string; userHome: string; path: string }): Promise<Bait> {
  await mkdir(options.dataFolder, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(options.dataFolder, "doctor-"));
  const [tree, otherTree, beside] = [join(folder, "tree"), join(folder, "other"), join(folder, "beside")];
  await mkdir(tree);
  await mkdir(otherTree);
  await writeFile(beside, content);
  await writeFile(join(otherTree, "file"), content);
  const listeners = await Promise.all(addresses(folder).map(listenAt));
  const name = `.sheaf-${folder.slice(-6)}`;
  const make = [folder, "/etc", "/usr", "/", options.userHome].map((place) => join(place, name));
  return {
    tree,
    otherTree,
    read: [beside, join(otherTree, "file"), ...ofTheOperator(options.userHome)],
    open: [beside, "/usr/bin/env", "/etc/ld.so.cache", "/proc/sys/kernel/core_pattern"].filter((file) =>
      existsSync(file),
    ),
    make,
    connect: listeners.map(({ to }) => to),
    folders: [...new Set(options.path.split(delimiter))].filter((place) => place.startsWith("/") && existsSync(place)),
    async changed() {
      const made = make.filter((file) => existsSync(file));
      // What a failed trial made is not left behind.
      await Promise.all(made.map((file) => rm(file, { force: true })));
      const isSame = (await readFile(beside, "utf8")) === content && (await readdir(folder)).length === own;
      return isSame ? made : [...made, folder];
    },
    async [Symbol.asyncDispose]() {
      for (const { server } of listeners) server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const content = "only for a trial of the sandbox\n";
/** The two trees, the file, the socket. */
const own = 4;

/** Files that hold what nobody else may know, where they are. */
function ofTheOperator(userHome: string): string[] {
  const names = [".bashrc", ".profile", ".gitconfig", ".npmrc", ".netrc", ".ssh", ".aws", ".docker"];
  return ["/etc/shadow", ...names.map((name) => join(userHome, name))].filter((file) => existsSync(file));
}

/** Loopback, a socket in a folder, and one in no folder at all, which only a network of its own keeps away. */
function addresses(folder: string): NetConnectOpts[] {
  const socket = join(folder, "socket");
  // The address of a socket holds 107 bytes.
  const path = socket.length < 100 ? [{ path: socket }] : [];
  const abstract = process.platform === "linux" ? [{ path: `\0sheaf-${folder.slice(-6)}` }] : [];
  return [{ host: "127.0.0.1", port: 0 }, ...path, ...abstract];
}

async function listenAt(to: NetConnectOpts): Promise<{ server: Server; to: NetConnectOpts }> {
  const server = createServer((socket) => socket.destroy());
  server.listen(to).unref();
  await once(server, "listening");
  const bound = server.address();
  return { server, to: typeof bound === "object" && bound ? { host: bound.address, port: bound.port } : to };
}
