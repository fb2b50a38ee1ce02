import { join } from "node:path";
import type { Terminal } from "../cli/terminal.ts";
import { systemClock as clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { JobListener } from "../coordinator/tell-listeners.ts";
import type { Settings } from "../settings.ts";
import type { Redactor } from "../telemetry/redact.ts";

/** Who hears of every job of this process: the receivers of webhooks, where the operator named any. */
export async function hearOfJobs(
  { settings, config, terminal, redact }: { settings: Settings; config: Config; terminal: Terminal; redact: Redactor },
  stack: AsyncDisposableStack,
): Promise<Set<JobListener>> {
  const listeners = new Set<JobListener>();
  if (settings.webhooks.length === 0) return listeners;
  const { openWebhooks } = await import("../webhook/open-webhooks.ts");
  const { messageOf } = await import("../webhook/message.ts");
  const webhooks = await openWebhooks({
    targets: settings.webhooks,
    folder: join(config.home, "webhooks"),
    clock,
    warn: (message) => terminal.tell(`warning ${redact(message)}`),
  });
  stack.use(webhooks);
  listeners.add((job, _, fact) => {
    const message = messageOf(job, fact, { at: clock.now(), redact });
    if (message) webhooks.send(message);
  });
  return listeners;
}
