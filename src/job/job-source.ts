import type { Place } from "../document/place.ts";
import { excessOf } from "../document/value-bounds.ts";
import { Fault } from "../protocol/failure.ts";
import type { JobFile } from "../protocol/job-file.ts";
import type { NamedTexts } from "./named-texts.ts";

/** A job as it was asked for, before anything it names is looked up. */
export interface JobSource {
  file: JobFile;
  /** The job file as it was written, as a JSON value. */
  written: Readonly<Record<string, unknown>>;
  /** The job's name where the file gives none; fits a handle. */
  name: string;
  /** The files it names. */
  texts: NamedTexts;
  /** Where in the file something stands, for errors: `jobs/lint.yaml:4:3`, or `job.each[0]` of a request. */
  place: Place;
  /** Who says overrides and inputs: `--timeout 40m`, or `overrides.timeout` of a request. */
  asker: "command line" | "request";
}

/** What an override is called by whoever gave it: `overrides.permissionMode`, or `--permission-mode`. */
export function optionName(asker: JobSource["asker"], name: string): string {
  if (asker === "request") return `overrides.${name}`;
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** How the value of an input is given. */
export function inputOption(asker: JobSource["asker"], name: string): string {
  return asker === "request" ? `inputs: { ${JSON.stringify(name)}: "VALUE" }` : `--input ${name}=VALUE`;
}

/** Bounds of a job: it goes whole into its log. Depth and number are those of YAML files. */
export const jobBounds = { depth: 100, values: 500_000, characters: 16_000_000 };

/** Aliases make much out of little: what the job says in all is counted before it is written out anywhere. */
export function refuseTooMuch(written: unknown, place: Place): void {
  const excess = excessOf(written, jobBounds);
  if (excess) throw new Fault("job_file", `${place(excess.path)}: ${excess.reason}`);
}
