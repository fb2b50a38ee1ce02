import type { Database } from "../db/database.ts";
import type { EventWriter } from "../db/writer.ts";
import type { Clock } from "../protocol/ids.ts";
import type { Queue } from "../queue/queue.ts";
import type { NoSandbox, Sandbox } from "../sandbox/driver.ts";
import type { Ceiling } from "../settings/ceiling.ts";
import type { Redactor } from "../telemetry/redact.ts";
import type { SpanHub } from "../telemetry/span-hub.ts";
import type { Git } from "../workspace/git.ts";
import type { ModelDirectory } from "./gate/model-directory.ts";
import type { Spending } from "./gate/spending.ts";
import type { Room } from "./room.ts";
import type { Spread } from "./spread/spread.ts";
import type { JobListener } from "./tell-listeners.ts";
import type { Pool } from "./threads/pool.ts";
import type { ThreadWatch } from "./threads/watch-threads.ts";

/** What main builds once and the coordinator works with. Nothing in here belongs to one job. */
export interface Equipment {
  clock: Clock;
  /** $SHEAF_HOME, absolute. */
  home: string;
  /** Names this process in claims. */
  node: string;
  /** Of Sheaf: what another version did may have been done otherwise. */
  version: string;
  threads: number;
  git: Git;
  database: Database;
  /** Which node has which job; absent where no other process can have one. */
  jobs?: Queue | undefined;
  /** Runs that other nodes may do; absent where none can. */
  spread?: Spread | undefined;
  writer: EventWriter;
  /** Room on the disk of the data folder; absent where nobody watches it. */
  room?: Room | undefined;
  hub: SpanHub;
  /** Takes secrets out of what a command printed, once, before anything keeps it. */
  redact: Redactor;
  /** Opened by the first job that has a task, so that looking at old jobs starts no thread. */
  pool(): { pool: Pool; watch: ThreadWatch };
  /** Whoever wants to hear of all jobs of this process. */
  listeners?: Set<JobListener>;
  /** Tells the operator what needs no answer. */
  warn?(message: string): void;
  /** What runs commands, or why none can be run. Tried when it is first asked for, once. */
  sandbox(): Promise<Sandbox | NoSandbox>;
  /** What the operator lets any job do at most. */
  ceiling: Ceiling;
  /** Which model and whose door a specification means. */
  models: ModelDirectory;
  /** Through which all its calls to models go. */
  spending: Spending;
}
