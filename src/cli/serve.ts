import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Option } from "commander";
import { type LogLevel, logLevels } from "../log/log.ts";
import { Fault } from "../protocol/failure.ts";
import { wholeNumber } from "./options.ts";
import type { Verb } from "./verb.ts";
import { count, duration } from "./words.ts";

export const addServe: Verb = (program, around) => {
  program
    .command("serve")
    .description("Serves this data folder over HTTP until it is stopped; other commands here go through it")
    .option("--host <address>", "where to listen; default server.host of sheaf.config.yaml, else 127.0.0.1")
    .option("--port <number>", "0 for one that is free; default server.port, else 7420", portNumber)
    .addOption(
      new Option("--log-level <level>", "least level that is written to stderr; default log.level, else info").choices(
        logLevels,
      ),
    )
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        "  sheaf serve",
        '  curl -H "authorization: Bearer $(cat "$SHEAF_HOME/token")" http://127.0.0.1:7420/v1/jobs',
        "",
        "Reference: /docs of the server, and docs/http.md. On SIGINT or SIGTERM it takes no more jobs, gives those",
        "that run a few seconds to finish, and hands the rest back: who serves this data folder (or database) next",
        "goes on with them, and does nothing twice.",
      ].join("\n"),
    )
    .action(async (options: { host?: string; port?: number; logLevel?: LogLevel }) => {
      await using session = await around.open("serve", { isLong: true, isOwnNeeded: true });
      const { own } = session;
      if (!own) throw new Fault("usage", "serve: SHEAF_SERVER names another server", { remedy: "unset it" });
      const { settings, coordinator } = own;
      const { host = settings.server.host, port = settings.server.port, logLevel } = options;
      const place = { host, port, logLevel };
      // Before anybody can hear that it listens, and stop it.
      const { promise: asked, resolve: ask } = Promise.withResolvers<"SIGINT" | "SIGTERM">();
      const release = around.onSignal(ask);
      const server = await around.listen(session, place);
      around.terminal.tell(`Sheaf listens on ${server.url}; its token is in ${join(around.config.home, "token")}`);
      const lost = await Promise.race([
        asked.then(() => undefined),
        own.equipment.database.standstills?.outage.ended ?? asked.then(() => undefined),
      ]);
      around.terminal.tell(lost ? `stopping: ${lost.message}` : stopping(coordinator.running));
      server.drain();
      const idle = Promise.all([coordinator.idle(), coordinator.leaveOthers()]);
      await Promise.race([idle, wait(graceMs, undefined, { ref: false })]);
      await coordinator.handBack();
      // Whoever follows a job that ended just now hears so before the streams are cut.
      await wait(lastWordsMs);
      await server.close();
      release();
      // Whoever watches over it starts it again, and it goes on with all jobs.
      if (lost)
        throw new Fault(
          "storage_full",
          "the embedded database has stopped; all jobs are kept as they were",
          lostRemedy,
        );
    });
};

const lostRemedy = { remedy: "free some space on the disk of $SHEAF_HOME, and start it again: it goes on with them" };

/** What runs when the server is told to stop may take so long to come to its end; then it is handed back. */
const graceMs = 5_000;
const lastWordsMs = 200;

function stopping(running: number): string {
  if (running === 0) return "stopping";
  return `stopping: ${count(running, "running job")} may finish within ${duration(graceMs)} before being handed back; once more to leave at once`;
}

function portNumber(word: string): number {
  return word === "0" ? 0 : wholeNumber(word);
}
