import { createHash } from "node:crypto";
import { mkdir, rm, stat } from "node:fs/promises";
import type { Server as HttpServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { FolderLock } from "../db/lock.ts";
import { Fault } from "../protocol/failure.ts";
import type { AppOrder } from "./open-app.ts";

/**
 * The holder of a data folder lets other commands on that folder use what it holds: the same app as the server's, on a
 * socket that only this user can open. Nothing of it is loaded before somebody knocks.
 */
export async function serveSocket(order: AppOrder & { lock: FolderLock }): Promise<AsyncDisposable> {
  const path = await socketPath(order.home);
  // Whoever made it is gone: the lock is ours.
  await rm(path, { force: true });
  const sockets = new Set<Socket>();
  let opened: Promise<Door> | undefined;
  const open = async () => {
    const { openDoor } = await import("./open-app.ts");
    return openDoor(order);
  };
  const door = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    opened ??= open();
    opened.then(
      ({ server }) => hand(socket, server),
      () => socket.destroy(),
    );
  });
  await listen(door, path);
  order.lock.announce(path);
  return {
    async [Symbol.asyncDispose]() {
      // Resolves when the last connection has gone.
      const closed = new Promise<void>((resolve) => door.close(() => resolve()));
      const { server, leave } = (await opened) ?? {};
      // Whoever follows a job that ended just now hears so before the streams are cut.
      if (sockets.size > 0) await wait(lastWordsMs);
      leave?.();
      const sweep = setInterval(() => server?.closeIdleConnections(), 50);
      const late = setTimeout(() => sockets.forEach((socket) => void socket.destroy()), lettingGoMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(late);
    },
  };
}

/** What requests under way get when the holder ends. */
const lettingGoMs = 2_000;
const lastWordsMs = 200;

/** The app behind the door. */
export interface Door {
  server: HttpServer;
  /** Takes no new jobs, and ends streams of events. */
  leave(): void;
}

function hand(socket: Socket, server: HttpServer): void {
  server.emit("connection", socket);
  socket.resume();
}

/** The file is made within the call, so that nobody else can open it in the moment before its mode is set. */
async function listen(door: ReturnType<typeof createServer>, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  door.once("error", reject).once("listening", resolve);
  const before = process.umask(0o177);
  try {
    door.listen({ path });
  } finally {
    process.umask(before);
  }
  await promise.catch((cause: unknown) => {
    throw new Fault("configuration", `cannot listen on ${path}: ${String(cause)}`, {
      remedy: "SHEAF_HOME must be a local folder in which sockets can be made",
      cause,
    });
  });
  // It does not keep the process alive; what it works on does.
  door.unref();
}

/** Addresses of sockets hold 104 bytes on some systems, 108 on others. */
const longestPath = 100;

async function socketPath(home: string): Promise<string> {
  const inHome = join(home, "sheaf.sock");
  if (Buffer.byteLength(inHome) <= longestPath) return inHome;
  const name = createHash("sha256").update(home).digest("hex").slice(0, 16);
  const path = join(tmpdir(), `sheaf-${name}`, "sheaf.sock");
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const folder = await stat(dirname(path));
  if (folder.uid === process.getuid?.() && (folder.mode & 0o077) === 0) return path;
  throw new Fault("configuration", `${dirname(path)} belongs to somebody else`, {
    remedy: "use a SHEAF_HOME with a shorter path, or another TMPDIR",
  });
}
