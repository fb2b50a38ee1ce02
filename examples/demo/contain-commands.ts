import { dirname, join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openSandbox } from "../../src/sandbox/open-sandbox.ts";

/** How the commands of the demo are contained: its sheaf.config.yaml, and the line that says so. */
export interface Containment {
  settings: string;
  note: string;
}

const packageFolder = join(import.meta.dirname, "../..");

/** Sheaf's own sandbox where this machine has one; otherwise the demo's check runs as the user, and that is said. */
export async function containCommands(home: string): Promise<Containment> {
  const read = [join(packageFolder, "node_modules"), import.meta.dirname, dirname(process.execPath)];
  const limits = { memoryBytes: 8 * 2 ** 30, processes: 1_024, scratchBytes: 2 ** 30 };
  const machine = { path: process.env.PATH ?? "", home, packageFolder, dataFolder: home };
  const options = { mode: "bubblewrap", read, limits, privateHosts: [], ...machine } as const;
  const sandbox = await openSandbox(options, systemClock);
  if (!("unavailable" in sandbox)) {
    const settings = `# The demo's own settings: where its check finds its tools.\nsandbox: ${JSON.stringify({ read })}\n`;
    return { settings, note: "its check runs in Sheaf's sandbox: no network, nothing of yours in sight" };
  }
  return {
    settings: "# The demo's own settings: its check runs as you.\nsandbox: { mode: external }\n",
    note: `NO SANDBOX here, so its check runs as you: ${sandbox.unavailable}; try: ${sandbox.remedy}`,
  };
}
