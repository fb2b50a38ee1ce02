import type { Place } from "../document/place.ts";
import type { JobFile } from "../protocol/job-file.ts";
import type { Filler } from "./fill-inputs.ts";
import type { RepositoryAgents } from "./repository-agents.ts";
import type { Compile } from "./resolve-codemod.ts";
import type { FaultList } from "./resolve-faults.ts";
import type { JobFiles } from "./resolve-files.ts";

/** What every part of a job file is resolved with. */
export interface Resolving {
  file: JobFile;
  place: Place;
  files: JobFiles;
  filler: Filler;
  faults: FaultList;
  compile: Compile;
  /** Those of the commit that the job starts from. */
  agents: RepositoryAgents;
}
