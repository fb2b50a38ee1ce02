import type { Place } from "../document/place.ts";
import type { JobFile } from "../protocol/job-file.ts";
import type { Filler } from "./fill-inputs.ts";
import type { Compile } from "./resolve-codemod.ts";
import type { FaultList } from "./resolve-faults.ts";
import type { JobFiles } from "./resolve-files.ts";

/** Undefined where the commit has no ordinary file of that path. */
export type ReadAgentFile = (path: string) => Promise<string | undefined>;

/** What every part of a job file is resolved with. */
export interface Resolving {
  file: JobFile;
  place: Place;
  files: JobFiles;
  filler: Filler;
  faults: FaultList;
  compile: Compile;
  /** The text of a file at the commit the job starts from; absent where no repository is at hand. */
  agentFile: ReadAgentFile | undefined;
}
