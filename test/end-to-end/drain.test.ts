import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSecret } from "../../src/access/token-file.ts";
import { startPostgres, type TestServer } from "../support/postgres.ts";
import { openSheaf, patience, type Running, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

/** A server as a process: it starts beside another one, is told to stop under a job, and its next start ends that job. */
let ground: Playground;
let server: TestServer;
beforeAll(async () => {
  ground = playground();
  ground.write("a.js", 'require("fs");\n');
  ground.commit();
  server = await startPostgres();
}, patience);
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
  await server.close();
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(50);
}

async function serve(sheaf: Sheaf, env: Record<string, string>): Promise<{ running: Running; url: string }> {
  const running = sheaf.start(["serve", "--port", "0", "--log-level", "silent"], { env });
  await running.shows(/Sheaf listens on (\S+);/);
  return { running, url: /listens on (\S+);/.exec(running.stderr + running.stdout)?.[1] ?? "" };
}

/** A server's jobs, and a job whose check stays until a file is there. */
function caller(home: string, url: () => string) {
  const ask = async (path: string, init: RequestInit = {}) => {
    const authorization = `Bearer ${await readSecret(home)}`;
    return fetch(`${url()}${path}`, { ...init, headers: { authorization, "content-type": "application/json" } });
  };
  const state = async (id: string): Promise<string> => {
    const { state: now, outcome } = (await (await ask(`/v1/jobs/${id}`)).json()) as { state: string; outcome?: string };
    return outcome ?? now;
  };
  return { ask, state };
}

describe.each(["the embedded database", "PostgreSQL"])("serve on %s", (name) => {
  it(
    "hands a running job back when it is told to stop, its next start ends it, and a second signal leaves at once",
    async () => {
      await using sheaf = openSheaf({
        settings: `sandbox: { mode: external }\nserver: { roots: ["${ground.user}"] }\n`,
      });
      const env: Record<string, string> = name === "PostgreSQL" ? { DATABASE_URL: await server.createDatabase() } : {};
      const otherHome = join(sheaf.folder, "other");
      mkdirSync(otherHome);
      // On an empty database both migrate at once.
      const [first, other] = await Promise.all([
        serve(sheaf, env),
        name === "PostgreSQL" ? serve(sheaf, { ...env, SHEAF_HOME: otherHome }) : undefined,
      ]);
      if (other) {
        other.running.child.kill("SIGTERM");
        expect((await other.running.ended).code).toBe(0);
      }
      let { url } = first;
      const { ask, state } = caller(sheaf.home, () => url);

      /** A job whose check has begun, and stays until `go` is there. */
      const hold = async (go: string) => {
        const begun = join(sheaf.folder, `${go}-begun`);
        const check = `touch '${begun}'; until test -e '${join(sheaf.folder, go)}'; do sleep 0.1; done`;
        const job = { version: 1, each: [{ codemod: "node-protocol" }], checks: [check] };
        const body = JSON.stringify({ job, repository: { path: ground.user } });
        const posted = await ask("/v1/jobs", { method: "POST", body });
        expect(posted.status).toBe(202);
        await until(async () => existsSync(begun));
        return ((await posted.json()) as { id: string }).id;
      };
      const id = await hold("go");

      first.running.child.kill("SIGTERM");
      await first.running.shows(/1 running job may finish within .* before being handed back/);
      expect(await (await ask("/readyz")).json()).toMatchObject({ code: "draining" });
      expect((await first.running.ended).code).toBe(0);

      sheaf.write("go", "");
      const second = await serve(sheaf, env);
      ({ url } = second);
      await until(async () => (await state(id)) === "succeeded");
      const events = (await (await ask(`/v1/jobs/${id}/events`)).text()).match(/^event: .*/gm) ?? [];
      expect(events.filter((line) => line === "event: task.started")).toHaveLength(1);
      expect(await (await ask("/readyz")).json()).toEqual({ status: "ready" });

      await hold("never");
      second.running.child.kill("SIGTERM");
      await second.running.shows(/may finish/);
      // Sooner than that it is taken for the echo of the first.
      await wait(400);
      second.running.child.kill("SIGTERM");
      expect((await second.running.ended).code).toBe(143);
    },
    patience,
  );
});
