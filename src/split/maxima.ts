import { Fault } from "../protocol/failure.ts";

/** What does not fit a maximum is refused with the counts, never dropped. All throw Fault `job_file`. */
export function refuseTooMany(count: number, most: number | undefined, what: string): void {
  if (most === undefined || count <= most) return;
  throw new Fault("job_file", `split: ${what} make ${count} tasks, more than tasks: ${most}`, {
    remedy: "raise split.tasks or split.files, or split otherwise",
  });
}

const mostNamed = 10;

/** `groups` are of one `kind`, such as "directory", and are not cut any further. */
export function refuseTooLarge(
  groups: Iterable<readonly [name: string, files: readonly string[]]>,
  most: number | undefined,
  kind: string,
): void {
  const large = [...groups].filter(([, files]) => files.length > (most ?? Number.POSITIVE_INFINITY));
  if (large.length === 0) return;
  const named = large.slice(0, mostNamed).map(([name, files]) => `${name || "."} has ${files.length}`);
  const more = large.length > mostNamed ? `, and ${large.length - mostNamed} more` : "";
  throw new Fault("job_file", `split: a ${kind} holds more than files: ${most}: ${named.join(", ")}${more}`, {
    remedy: "raise split.files, or split by files",
  });
}
