import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { fact } from "../../src/protocol/event.ts";
import { result } from "../../src/protocol/result.ts";
import { laterFact } from "./later-build.ts";

/** Everything that a data folder's database holds, read from outside by a process of its own. */
const whole = z.coerce.number().int();
const eventRow = z
  .object({
    run: z.string(),
    job: z.string(),
    seq: whole,
    pos: whole,
    epoch: whole,
    type: z.string(),
    data: z.unknown(),
  })
  // A fact that only a later build knows is one that says that somebody goes on.
  .transform(({ type, data, ...place }) => ({
    ...place,
    ...fact.parse(type === laterFact ? { type: "job.resumed", data: { epoch: place.epoch } } : { type, data }),
  }));

const store = z.object({
  jobs: z.array(
    z.object({
      ...{ id: z.string(), handle: z.string(), state: z.string(), outcome: z.string().nullable(), head: whole },
      result: result.nullable(),
    }),
  ),
  runs: z.array(
    z.object({
      ...{ id: z.string(), job: z.string(), task: z.string().nullable(), step: whole, attempt: whole },
      ...{ kind: z.string(), state: z.string(), epoch: whole, head: whole },
    }),
  ),
  tasks: z.array(z.object({ job: z.string(), id: z.string(), state: z.string().nullable(), landed: z.boolean() })),
  events: z.array(eventRow),
  approvals: z.array(
    z.object({ id: z.string(), job: z.string(), run: z.string(), call: z.string(), state: z.string() }),
  ),
  requests: z.tuple([z.object({ open: whole })]),
  spans: z.array(z.object({ job: z.string(), all: whole, open: whole, roots: whole })),
});
export type Store = z.infer<typeof store>;
export type StoredEvent = Store["events"][number];

const script = join(import.meta.dirname, "store-process.ts");

/** `migrations`: of another build, that the database was brought to. */
export async function readStore(home: string, databaseUrl?: string, migrations = ""): Promise<Store> {
  const words = [script, home, databaseUrl ?? "", migrations];
  const { stdout } = await promisify(execFile)(process.execPath, ["--liftoff-only", ...words], { maxBuffer: 2 ** 29 });
  return store.parse(JSON.parse(stdout));
}
