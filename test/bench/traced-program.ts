import { join } from "node:path";
import type { SpanHub } from "../../src/telemetry/span-hub.ts";

// node traced-program.ts PACKAGE on|off WORDS...: the installed program's command line, its tracing as it is (`on`),
// or with a hub that drops every span before it is redacted, stored or exported (`off`). Threads record either way.
type Modules = typeof import("../../src/cli/main.ts") &
  typeof import("../../src/cli/signals.ts") &
  typeof import("../../src/cli/terminal.ts") &
  typeof import("../../src/config.ts") &
  typeof import("../../src/coordinator/coordinator.ts") &
  typeof import("../../src/session/open-session.ts") &
  typeof import("../../src/workspace/git.ts");

const [packageFolder = "", tracing = "", ...words] = process.argv.slice(2);
const files = [
  "cli/main",
  "cli/signals",
  "cli/terminal",
  "config",
  "coordinator/coordinator",
  "session/open-session",
  "workspace/git",
];
const loaded = await Promise.all(files.map((file) => import(join(packageFolder, "dist/src", `${file}.js`))));
const program: Modules = Object.assign({}, ...loaded);

const deaf: SpanHub = {
  accept: () => {},
  acceptFromThread: () => {},
  closeOrphans: () => {},
  exportSpan: () => {},
  flush: async () => {},
  close: async () => {},
  counts: {
    ended: 0,
    orphans: 0,
    rowsStored: 0,
    rowsLost: 0,
    exported: 0,
    exportFailed: 0,
    refused: { shape: 0, trace: 0, ancestry: 0, identity: 0, duplicate: 0, size: 0 },
  },
};

const config = program.readConfig(process.env);
const { stdout, stderr } = process;
const terminal = program.openTerminal({ stdout, stderr, isCi: config.isCi, noColor: config.noColor });
const git = program.createGit({ path: config.path });
const cwd = process.cwd();
process.exitCode = await program.runCommandLine(words, {
  config,
  terminal,
  git,
  version: "0.0.0",
  cwd,
  now: Date.now,
  listen: () => Promise.reject(new Error("this program serves nobody")),
  readInput: async () => "",
  onSignal: program.onStopSignal,
  async open(command, options = {}) {
    const order = { command, options, cwd, config, terminal, git, version: "0.0.0", packageFolder };
    const session = await program.openSession(order);
    if (!session.own) throw new Error("another process does the work");
    if (tracing === "on") return session;
    const equipment = { ...session.own.equipment, hub: deaf };
    const coordinator = program.createCoordinator(equipment);
    return { ...session, coordinator, own: { ...session.own, equipment, coordinator } };
  },
});
