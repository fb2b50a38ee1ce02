import { storeArtifact } from "../../db/store-artifact.ts";
import { decide } from "../../permission/decide.ts";
import { taskScope } from "../../permission/task-scope.ts";
import type { Scope } from "../../protocol/scope.ts";
import type { Equipment } from "../equipment.ts";
import type { Job } from "../job.ts";
import { composeBrief, contextPart } from "./compose-brief.ts";
import { type ContextFile, contextDirectories, contextFilesIn, mostBytes } from "./context-files.ts";

/** What a job tells its runs. It is made when the first run asks, once, and kept with the job. */
export interface Brief {
  /** In front of every run's own task: the same text for all. Empty where there is nothing to say. */
  shared(): Promise<string>;
  /** Notes of the folders nearest above these files, of those that `scope` may read; empty where there are none. */
  near(files: readonly string[], scope: Scope): Promise<string>;
}

type Briefed = Pick<Job, "spec" | "repository" | "log">;

export function openBrief(job: Briefed, equipment: Pick<Equipment, "database" | "ceiling" | "redact">): Brief {
  const shared = once(() => makeShared(job, equipment));
  const directories = once(() => contextDirectories(job.spec.base.tree, job.repository));
  const known = new Map<string, Promise<ContextFile[]>>();
  const filesIn = (directory: string) => {
    const reading = known.get(directory) ?? contextFilesIn(directory, job.spec.base.tree, job.repository);
    known.set(directory, reading);
    return reading;
  };
  return {
    shared,
    async near(files, scope) {
      const above = nearestAbove(files, await directories());
      const read = await Promise.all(above.map(filesIn));
      const told = bounded(read.flat().filter((file) => isReadable(file, scope, job)));
      return told.length === 0 ? "" : equipment.redact(contextPart(told));
    },
  };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A file that no task of the job may read is not told either. */
async function makeShared(
  job: Briefed,
  { database, ceiling, redact }: Pick<Equipment, "database" | "ceiling" | "redact">,
): Promise<string> {
  const { spec, repository } = job;
  const scope = taskScope({ writes: [], job: spec.permissions, ceiling: ceiling.permissions, tools: [] });
  const found = await contextFilesIn("", spec.base.tree, repository);
  const files = found.filter((file) => isReadable(file, scope, job));
  const text = redact(composeBrief(spec, files));
  if (text === "") return text;
  const sha256 = await storeArtifact(Buffer.from(text), "text/markdown", database);
  const sources = files.map((file) => ({ path: file.path, sha256: file.sha256 }));
  await job.log([{ type: "job.briefed", data: { sha256, sources } }]);
  return text;
}

/** A link gives nothing that its target would not give. */
function isReadable({ path, behind = path }: ContextFile, scope: Scope, { repository }: Briefed): boolean {
  const facts = { isCaseInsensitive: repository.isCaseInsensitive };
  return [path, behind].every((one) => decide(scope, "Read", one, facts).effect === "allow");
}

/** Of all folders with notes the nearest one above each file; those of the root are told to everybody. */
function nearestAbove(files: readonly string[], directories: ReadonlySet<string>): string[] {
  if (directories.size === 0) return [];
  const found = new Set<string>();
  for (const file of files) {
    for (let slash = file.lastIndexOf("/"); slash > 0; slash = file.lastIndexOf("/", slash - 1)) {
      const directory = file.slice(0, slash);
      if (!directories.has(directory)) continue;
      found.add(directory);
      break;
    }
  }
  return [...found].sort();
}

/** Of all notes of one task. */
const mostOfTask = 3 * mostBytes;

function bounded(files: readonly ContextFile[]): ContextFile[] {
  let left = mostOfTask;
  return files.filter(({ text }) => {
    left -= text.length;
    return left >= 0;
  });
}
