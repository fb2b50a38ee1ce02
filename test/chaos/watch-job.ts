import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { z } from "zod";

/** The job in a PostgreSQL, as somebody sees it who has nothing to do with its nodes. Survives the server's death. */
export interface JobWatch extends AsyncDisposable {
  look(): Promise<Seen | undefined>;
  /** Until this holds; false where it does not within so many milliseconds. */
  until(isSo: (seen: Seen) => boolean, withinMs: number): Promise<boolean>;
}

const seenRow = z.object({
  state: z.string(),
  /** Facts that are stored. */
  head: z.coerce.number(),
  /** Owners that it has had, and who has it now. */
  epoch: z.number(),
  owner: z.string().nullable(),
  /** Runs of its agents that are under way, by the process that does each. */
  workers: z.array(z.string()).transform((owners) => owners.map((owner) => Number(owner.split("/").at(-1)))),
});
type Seen = z.infer<typeof seenRow>;

export function watchJob(databaseUrl: string): JobWatch {
  let client: Client | undefined;
  const look = async () => {
    try {
      client ??= await connected(databaseUrl);
      const { rows } = await client.query(asked);
      return rows[0] === undefined ? undefined : seenRow.parse(rows[0]);
    } catch (thrown) {
      if (thrown instanceof z.ZodError) throw thrown;
      // The tables are not there yet, or the server is not.
      await client?.end().catch(() => {});
      client = undefined;
      return undefined;
    }
  };
  return {
    look,
    async until(isSo, withinMs) {
      for (const end = Date.now() + withinMs; Date.now() < end; await wait(lookMs)) {
        const seen = await look();
        if (seen && isSo(seen)) return true;
      }
      return false;
    },
    [Symbol.asyncDispose]: async () => client?.end(),
  };
}

const lookMs = 25;

const asked = `select j.state, j.head, r.epoch, r.owner, array(select owner from sheaf.runs
  where job_id = j.run_id and kind = 'agent' and state in ('running', 'waiting') and owner is not null) as workers
from sheaf.jobs j join sheaf.runs r on r.id = j.run_id order by j.created_at limit 1`;

async function connected(databaseUrl: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => {});
  await client.connect();
  return client;
}
