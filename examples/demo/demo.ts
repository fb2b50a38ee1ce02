import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { containCommands } from "./contain-commands.ts";
import { endDemo, openDemoFolder, removeDemoFolder } from "./demo-folder.ts";
import { type DemoOptions, help, readOptions } from "./options.ts";
import { refactorOwn } from "./refactor-own.ts";
import { refactorPackage } from "./refactor-package.ts";

/** `npm run demo`: reads the words, opens one folder, tells one story, and cleans up when it is stopped. */
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort(signal));
// Whoever read this has gone (`| head`): nobody is told what happens any more.
process.stdout.on("error", () => stop.abort("SIGPIPE"));

const exits: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 };
process.exitCode = await main();

async function main(): Promise<number> {
  const options = optionsOrComplaint();
  if (typeof options === "string") {
    console.error(`${options}\nSee npm run demo -- --help`);
    return 1;
  }
  if (options.wantsHelp) {
    console.log(help);
    return 0;
  }
  return demo(options).catch(fail);
}

function optionsOrComplaint(): DemoOptions | string {
  try {
    return readOptions(process.argv.slice(2), process.env);
  } catch (thrown) {
    if (thrown instanceof TypeError) return thrown.message;
    throw thrown;
  }
}

async function demo({ repository, checks, startedIn }: DemoOptions): Promise<number> {
  const folder = await openDemoFolder(JSON.stringify([repository, checks]));
  const { signal } = stop;
  try {
    const { settings, note } = await containCommands(folder.home);
    await writeFile(join(folder.home, "sheaf.config.yaml"), settings);
    const exit =
      repository === undefined
        ? await refactorPackage(folder, { note, startedIn, signal })
        : await refactorOwn(folder, { note, repository, checks, startedIn, signal });
    await endDemo(folder);
    return exit;
  } catch (thrown) {
    await removeDemoFolder(folder);
    throw thrown;
  }
}

function fail(thrown: unknown): number {
  if (stop.signal.aborted) {
    console.error("stopped; everything the demo made is removed");
    return exits[String(stop.signal.reason)] ?? 1;
  }
  console.error(thrown instanceof Error ? thrown.message : String(thrown));
  return 1;
}
