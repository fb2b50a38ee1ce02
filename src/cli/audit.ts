import type { AuditedCall } from "../protocol/audited-call.ts";
import { formatOption, wholeNumber } from "./options.ts";
import type { Session } from "./session.ts";
import type { Verb } from "./verb.ts";
import { columns, oneLine } from "./words.ts";

export const addAudit: Verb = (program, around) => {
  program
    .command("audit")
    .description("The calls that asked the server for a change, newest first: who, what, and how it was answered")
    .option("-n, --limit <count>", "how many", wholeNumber, 50)
    .addOption(formatOption(["text", "json"], "text or json"))
    .addHelpText("after", "\nExample:\n  sheaf audit -n 200 --output-format json")
    .action(async (options: { limit: number; outputFormat: string }) => {
      await using session = await around.open("audit");
      const calls = await newest(options.limit, session);
      if (options.outputFormat === "json") return around.terminal.print(JSON.stringify(calls, null, 2));
      if (calls.length === 0) return around.terminal.tell("no call yet: `sheaf serve` writes them down as they come");
      const head = ["TIME (UTC)", "ACTOR", "FROM", "STATUS", "CALL"];
      for (const line of columns([head, ...calls.map(row)])) around.terminal.print(line);
    });
};

const mostOfPage = 200;

async function newest(limit: number, session: Session): Promise<AuditedCall[]> {
  const all: AuditedCall[] = [];
  for (let after: string | undefined; all.length < limit; ) {
    const page = await session.audit({ limit: Math.min(limit - all.length, mostOfPage), after });
    all.push(...page.calls);
    after = page.next;
    if (after === undefined) break;
  }
  return all;
}

function row(call: AuditedCall): string[] {
  return [
    call.at.slice(0, 19).replace("T", " "),
    call.actor ?? "-",
    call.address ?? "socket",
    call.status === null ? "open" : String(call.status),
    oneLine(`${call.method} ${call.path}`, 120),
  ];
}
