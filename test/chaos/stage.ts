import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plantRepository } from "../support/equipment.ts";
import { startPostgres, type TestServer } from "../support/postgres.ts";
import { type Endpoint, openEndpoint } from "./endpoint.ts";

/**
 * Where chaos happens: a repository of so many parts and a job file with an agent for each, of which every point gets a
 * copy and a data folder of its own, so that no point sees another.
 */
export interface Stage extends AsyncDisposable {
  tasks: number;
  database: DatabaseKind;
  endpoint: Endpoint;
  server: TestServer | undefined;
  /** A fresh one; goes with the stage, or when it is disposed. */
  place(name: string): Promise<Place>;
}

export type DatabaseKind = "embedded" | "postgres";

export interface Place extends Disposable {
  folder: string;
  home: string;
  repository: string;
  job: string;
  env: Readonly<Record<string, string>>;
  /** What stands in the settings of each node: its repositories are open to callers. */
  settings: string;
  databaseUrl?: string;
  /** Anything that a job at its end should have cleared away. */
  leftovers(): string[];
  /** In the user's repository. */
  git(...words: readonly string[]): string;
}

export interface StageOptions {
  tasks: number;
  database: DatabaseKind;
  /** The job file; default: an agent for each part, each tenth with a command after it, a check, and a branch. */
  job?: (tasks: number) => string;
  /** More lines of each node's settings. */
  settings?: string;
}

export async function openStage({ tasks, database, job = fanOutJob, settings = "" }: StageOptions): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const root = mkdtempSync(join(tmpdir(), "sheaf-chaos-"));
  const remove = () => rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  process.once("exit", remove);
  stack.defer(() => {
    process.off("exit", remove);
    remove();
  });
  const endpoint = stack.use(await openEndpoint());
  const server = database === "postgres" ? stack.use(await startPostgres()) : undefined;
  const template = join(root, "template");
  const files = Object.fromEntries(
    Array.from({ length: tasks }, (_, part) => [`part-${part}/limit.js`, partText(part)]),
  );
  plantRepository(template, files);
  const owned = stack.move();
  return {
    ...{ tasks, database, endpoint, server },
    async place(name) {
      const folder = join(root, name);
      const repository = join(folder, "repository");
      const home = join(folder, "home");
      cpSync(template, repository, { recursive: true });
      const ownSettings = `server: { roots: [${JSON.stringify(folder)}] }\n${settings}`;
      writeSettings(home, ownSettings);
      writeFileSync(join(folder, "job.yaml"), job(tasks));
      const databaseUrl = await server?.createDatabase();
      const env = { ...endpoint.env, SHEAF_HOME: home, ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}) };
      return {
        ...{
          folder,
          home,
          repository,
          env,
          settings: ownSettings,
          job: join(folder, "job.yaml"),
          ...(databaseUrl ? { databaseUrl } : {}),
        },
        leftovers: () => leftIn(home),
        git: (...words) => execFileSync("git", [...words], { cwd: repository, encoding: "utf8" }).trim(),
        [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Into a data folder, which is made. */
export function writeSettings(home: string, settings: string): void {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "sheaf.config.yaml"), settings);
}

function partText(part: number): string {
  return `// Part ${part}.\nexport const limit = 10;\nexport const name = "part-${part}";\n`;
}

/** As JSON, which is YAML as well. */
function fanOutJob(tasks: number): string {
  return agentsJob(tasks, {
    limits: { concurrency: 16, usd: 1_000 },
    stepsAfter: (part) => (part % 10 === 9 ? [{ run: `echo '// ${part}' >> part-${part}/limit.js` }] : []),
  });
}

interface AgentsJob {
  limits: Readonly<Record<string, unknown>>;
  model?: string;
  permissions?: Readonly<Record<string, unknown>>;
  /** What the task of a part does after its agent. */
  stepsAfter?: (part: number) => readonly unknown[];
}

/** An agent for each part, a check of the whole, and a branch. */
export function agentsJob(tasks: number, { stepsAfter = () => [], model = "sonnet", ...more }: AgentsJob): string {
  const each = Array.from({ length: tasks }, (_, part) => {
    const steps = [{ prompt: `Raise the limit in part-${part}.` }, ...stepsAfter(part)];
    return { id: `part-${part}`, items: [`part-${part}/limit.js`], steps };
  });
  return JSON.stringify({
    ...{ version: 1, name: "chaos", model, publish: { branch: "chaos" } },
    ...{ checks: ["! grep -rq 'limit = 10;' part-*"], tasks: each },
    ...more,
  });
}

function leftIn(home: string): string[] {
  const below = (folder: string) => (existsSync(join(home, folder)) ? readdirSync(join(home, folder)) : []);
  return ["workspaces", "checkouts"].flatMap((folder) => below(folder).map((name) => join(folder, name)));
}
