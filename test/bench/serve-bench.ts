import { join } from "node:path";
import { openTokens } from "../../src/access/open-tokens.ts";
import { readSecret } from "../../src/access/token-file.ts";
import { retakeJob } from "../../src/coordinator/retry.ts";
import { takeRequest } from "../../src/coordinator/take-request.ts";
import { openAudit } from "../../src/db/audit.ts";
import { createApp } from "../../src/http/app.ts";
import { listen } from "../../src/http/listen.ts";
import { silentLog } from "../../src/log/log.ts";
import type { TestBench } from "../support/equipment.ts";

/** The server as `sheaf serve` opens it, over a coordinator of this process. */
export async function serveBench({
  coordinator,
  equipment,
  folder,
}: TestBench): Promise<{ url: string; token: string } & AsyncDisposable> {
  const { clock, home, hub } = equipment;
  const tokens = await openTokens(home, { clock, log: silentLog });
  const rules = { isTrusted: false, roots: [folder], isAllowedUrl: () => false };
  const app = createApp({
    coordinator,
    take: (request) => takeRequest(request, rules, equipment),
    retake: (id, asked) => retakeJob(id, asked, { rules, ...equipment }),
    tokens,
    audit: openAudit(equipment, equipment.database),
    hosts: [],
    bundles: join(home, "bundles"),
    clock,
    log: silentLog,
    version: "0.0.0",
    onSpan: hub.exportSpan,
  });
  const listening = await listen(app, { host: "127.0.0.1", port: 0 });
  return { url: listening.url, token: await readSecret(home), [Symbol.asyncDispose]: () => listening.close() };
}
