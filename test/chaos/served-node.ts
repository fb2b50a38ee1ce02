import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";
import { type Place, writeSettings } from "./stage.ts";

/** `sheaf serve` as a process, and what a client would say to it over HTTP. */
export interface ServedNode extends NodeUnderTest {
  /** Hands it the place's job. */
  submit(): Promise<void>;
  /** One call under /v1. Throws where the answer is an error. */
  call(path: string, body?: unknown): Promise<unknown>;
}

/** `home`: its own data folder; `databaseUrl`: where it finds the database (a cable's end, say); absent: the embedded one; `program`: the folder of another build. */
export async function serveNode(
  { job, repository, folder, env, settings }: Place,
  { home, databaseUrl, program }: { home: string; databaseUrl?: string | undefined; program?: string },
): Promise<ServedNode> {
  if (!existsSync(home)) writeSettings(home, settings);
  const node = startNode(["serve", "--port", "0"], {
    ...{ cwd: folder, program },
    env: { ...env, SHEAF_HOME: home, ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}) },
  });
  await node.shows(/listens on http:\S+;/);
  const url = /listens on (http:[^;]+);/.exec(node.stderr)?.[1];
  const call = async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const authorization = `Bearer ${readFileSync(join(home, "token"), "utf8").trim()}`;
    const response = await fetch(`${url}/v1/${path}`, {
      ...{ method: body === undefined ? "GET" : "POST", headers: { ...headers, authorization } },
      ...(body === undefined ? {} : json(body, { ...headers, authorization })),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return Object.assign(node, {
    call: (path: string, body?: unknown) => call(path, body),
    async submit() {
      const request = { job: JSON.parse(readFileSync(job, "utf8")), repository: { path: repository } };
      await call("jobs", request, { "idempotency-key": "chaos" });
    },
  });
}

/** kill -9, and their ends. */
export async function endAll(nodes: readonly NodeUnderTest[]): Promise<void> {
  for (const node of nodes) node.kill();
  await Promise.all(nodes.map(({ ended }) => ended));
}

function json(body: unknown, headers: Record<string, string>) {
  return { body: JSON.stringify(body), headers: { ...headers, "content-type": "application/json" } };
}
