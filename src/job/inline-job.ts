import type { JobRequest } from "../protocol/job-request.ts";
import type { JobSource } from "./job-source.ts";
import { textsNoted } from "./named-texts.ts";
import { type JobOrder, type ResolveOptions, resolveOrder } from "./resolve-job.ts";

/**
 * A job as it travels to a server: the file as it was written, its name, and the text of every file it needs, each
 * read once. It is resolved here first, so its mistakes are said with the lines of the files they are in; `order` is
 * what came out, whose `publish` says where a patch is to go. Overrides and inputs travel beside it as they were given.
 */
export async function inlineJob(
  source: JobSource,
  options: ResolveOptions,
): Promise<{ request: Pick<JobRequest, "job" | "name" | "files">; order: JobOrder }> {
  const files = new Map<string, string>();
  const order = await resolveOrder({ ...source, texts: textsNoted(source.texts, files) }, options);
  return { request: { job: { ...source.written }, name: source.name, files: Object.fromEntries(files) }, order };
}
