import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startNode } from "../chaos/node-under-test.ts";
import { plantRepository } from "../support/equipment.ts";
import { startPostgres } from "../support/postgres.ts";
import { writeParts } from "./agents/parts.ts";
import { serveMessages } from "./agents/serve-messages.ts";
import type { Figure } from "./figure.ts";
import { ratioOfMinima, short } from "./pairs.ts";

const turns = 6;

/** The same job of many agents on one PostgreSQL: done by one node, and by two that share a data folder. */
export const nodes: Figure = {
  name: "nodes",
  title: "N agents of one job that think, done by one node / by two nodes on the same PostgreSQL and machine, wall",
  async measure({ directory, isQuick }) {
    const agents = isQuick ? 40 : 200;
    await using server = await serveMessages({ BENCH_DELAY_MS: 250, BENCH_TURNS: turns });
    await using postgres = await startPostgres();
    const repository = join(directory, "repository");
    mkdirSync(repository, { recursive: true });
    writeParts(repository, agents);
    plantRepository(repository, {});
    const wall = async (count: number) => {
      await server.reset();
      const home = join(directory, "home");
      rmSync(home, { recursive: true, force: true });
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, "sheaf.config.yaml"), settingsFor(directory));
      const env = { ...server.env, PATH: process.env.PATH ?? "", SHEAF_HOME: home };
      return wallOf(count, { agents, directory, home, repository, env, databaseUrl: await postgres.createDatabase() });
    };
    const pairs = { subject: [] as number[], baseline: [] as number[] };
    for (let round = 0; round < (isQuick ? 1 : 3); round++) {
      pairs.subject.push(await wall(1));
      pairs.baseline.push(await wall(2));
    }
    const [one, two] = [Math.min(...pairs.subject), Math.min(...pairs.baseline)];
    return [
      {
        what: `one node / two nodes, ${agents} agents x ${turns} turns of 250 ms`,
        unit: "x",
        ...ratioOfMinima(pairs),
        goal: { is: ">=", limit: 1.5 },
        absolute: `${short(one)} ms / ${short(two)} ms of wall`,
      },
    ];
  },
};

/** A model without a price: what has one has a budget, which its job's owner keeps alone. */
const settingsFor = (root: string) =>
  `server: { roots: [${JSON.stringify(root)}] }\nmodels: { own: { context: 200000, output: 8000 } }\n`;

interface Place {
  agents: number;
  directory: string;
  home: string;
  repository: string;
  env: Readonly<Record<string, string>>;
  databaseUrl: string;
}

async function wallOf(
  count: number,
  { agents, directory, home, repository, env, databaseUrl }: Place,
): Promise<number> {
  const own = { ...env, DATABASE_URL: databaseUrl };
  const started = Array.from({ length: count }, () =>
    startNode(["serve", "--port", "0"], { cwd: directory, env: own }),
  );
  try {
    for (const node of started) await node.shows(/listens on http:\S+;/);
    const url = /listens on (http:[^;]+);/.exec(started[0]?.stderr ?? "")?.[1];
    const call = caller(`${url}`, home);
    // Threads, modules and connections are there before the clock starts.
    await run(call, { agents: Math.min(agents, 8), repository, name: "warm" });
    return await run(call, { agents, repository, name: "measured" });
  } finally {
    for (const node of started) node.kill();
    await Promise.all(started.map(({ ended }) => ended));
  }
}

type Call = (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;

function caller(url: string, home: string): Call {
  const file = join(home, "token");
  const token = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
}

/** Milliseconds from its submission to its end. */
async function run(
  call: Call,
  { agents, repository, name }: { agents: number; repository: string; name: string },
): Promise<number> {
  const tasks = Array.from({ length: agents }, (_, index) => {
    const id = `part-${index}`;
    const items = [1, 2, 3, 4].map((file) => `${id}/file-${file}.js`);
    return { id, items, steps: [{ prompt: `Raise the limits in ${id}.` }] };
  });
  const job = { version: 1, name, model: "own", publish: "none", limits: { concurrency: agents }, tasks };
  const begun = Date.now();
  const { id } = await call("POST", "/v1/jobs", { job, repository: { path: repository } });
  for (;;) {
    const seen = await call("GET", `/v1/jobs/${String(id)}`);
    if (seen.state === "finished" && seen.outcome === "succeeded") return Date.now() - begun;
    if (seen.state === "finished")
      throw new Error(`the job ended ${String(seen.outcome)}: ${JSON.stringify(seen.result).slice(0, 2_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
