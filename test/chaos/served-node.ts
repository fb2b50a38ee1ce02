import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";
import type { Place } from "./stage.ts";

/** `sheaf serve` as a process, and what a client would say to it over HTTP. */
export interface ServedNode extends NodeUnderTest {
  /** Hands it the place's job. */
  submit(): Promise<void>;
}

/** `home`: its own data folder; `databaseUrl`: where it finds the database, a cable's end, say. */
export async function serveNode(
  { job, repository, folder, env }: Place,
  { home, databaseUrl }: { home: string; databaseUrl: string },
): Promise<ServedNode> {
  const settings = join(home, "sheaf.config.yaml");
  mkdirSync(home, { recursive: true });
  if (!existsSync(settings)) appendFileSync(settings, `server: { roots: [${JSON.stringify(folder)}] }\n`);
  const node = startNode(["serve", "--port", "0"], {
    cwd: folder,
    env: { ...env, SHEAF_HOME: home, DATABASE_URL: databaseUrl },
  });
  await node.shows(/listens on http:\S+;/);
  const url = /listens on (http:[^;]+);/.exec(node.stderr)?.[1];
  return Object.assign(node, {
    async submit() {
      const response = await fetch(`${url}/v1/jobs`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${readFileSync(join(home, "token"), "utf8").trim()}`,
          "content-type": "application/json",
          "idempotency-key": "chaos",
        },
        body: JSON.stringify({ job: JSON.parse(readFileSync(job, "utf8")), repository: { path: repository } }),
      });
      if (response.status !== 202)
        throw new Error(`the job was not taken: ${response.status} ${await response.text()}`);
    },
  });
}
