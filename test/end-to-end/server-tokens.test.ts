import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { z } from "zod";
import { auditedCall } from "../../src/protocol/audited-call.ts";
import { openSheaf, patience } from "../support/sheaf.ts";

it(
  "a token made while the server runs counts at once, and who used it for what is told by `sheaf audit`",
  async () => {
    await using sheaf = openSheaf();
    const server = sheaf.start(["serve", "--port", "0"]);
    await server.shows(/listens on/);
    const url = /listens on (http:\S+);/.exec(server.stderr)?.[1] ?? "";
    const made = await sheaf.call(["token", "create", "ci", "--scope", "run", "--expires", "30d"]);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sheaf_[\w-]{43}\n$/) });
    const secret = made.stdout.trim();
    const cancel = (token: string) =>
      fetch(`${url}/v1/jobs/nobody-7/cancel`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    // Refused as a stranger's until the server has looked at the file again.
    while ((await cancel(secret)).status === 401) await wait(100);
    expect((await cancel(secret)).status).toBe(404);
    const first = readFileSync(join(sheaf.home, "token"), "utf8").trim();
    const listed = await fetch(`${url}/v1/audit`, { headers: { authorization: `Bearer ${first}` } });
    expect(listed.status).toBe(200);
    const told = await sheaf.call(["audit", "-n", "1", "--output-format", "json"]);
    expect(told.code).toBe(0);
    const [call] = z.array(auditedCall).length(1).parse(JSON.parse(told.stdout));
    expect(call).toMatchObject({ actor: "ci", method: "POST", path: "/v1/jobs/nobody-7/cancel", status: 404 });
    for (const text of [server.stdout, server.stderr, told.stdout, told.stderr]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(first);
    }
  },
  patience,
);
