import type { ToolServer } from "../../tool-servers/tool-server.ts";
import type { Around } from "../commands/setup.ts";
import type { Job } from "../job.ts";

/** The servers of tools of each job: one connection for all its runs, opened by the first that may use it. */
const ofJobs = new WeakMap<Job, Map<string, Promise<ToolServer>>>();

/** Undefined for one that the job does not name. */
export async function toolServerOf(name: string, around: Around): Promise<ToolServer | undefined> {
  const { job } = around;
  const wanted = job.spec.servers?.find((server) => server.name === name);
  if (!wanted) return undefined;
  const known = ofJobs.get(job) ?? new Map<string, Promise<ToolServer>>();
  ofJobs.set(job, known);
  const opened = known.get(name) ?? open(wanted, around);
  known.set(name, opened);
  return opened;
}

/** The protocol's own code takes a while to load, and few jobs have servers. */
async function open(wanted: NonNullable<Job["spec"]["servers"]>[number], around: Around): Promise<ToolServer> {
  const [{ ToolServer }, { doorTo }] = await Promise.all([
    import("../../tool-servers/tool-server.ts"),
    import("./server-door.ts"),
  ]);
  return new ToolServer(wanted.name, doorTo(wanted, around));
}

/** Nothing of them is left when it resolves. For the end of a job, whatever its end. */
export async function endToolServers(job: Job): Promise<void> {
  const servers = [...(ofJobs.get(job)?.values() ?? [])];
  ofJobs.delete(job);
  await Promise.allSettled(servers.map(async (server) => (await server).close()));
}
