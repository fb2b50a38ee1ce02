import { found, quoted } from "../document/found.ts";
import { nearest } from "../document/nearest.ts";
import { Fault } from "../protocol/failure.ts";
import type { InputValue, JobSpec } from "../protocol/job.ts";
import type { JobFile } from "../protocol/job-file.ts";
import type { WrittenInput } from "../protocol/job-file-input.ts";
import { refusedCharacters } from "../protocol/written-text.ts";
import { inputOption, type JobSource } from "./job-source.ts";

/** Values by the name of the input, as they were given. */
export type GivenInputs = Readonly<Record<string, string>>;

type Declared = Exclude<WrittenInput, string | number | boolean>;

/** All inputs together become environment of every command. */
const mostBytes = 200_000;

/**
 * The value of every input: the one given, else its default. `hasStandIns` puts an example where a value is missing,
 * for `sheaf validate`. Throws Fault `usage` with everything that is wrong with what was given.
 */
export function resolveInputs(
  source: Pick<JobSource, "file" | "asker">,
  given: GivenInputs,
  { hasStandIns = false } = {},
): JobSpec["inputs"] {
  const declared = Object.entries(source.file.inputs ?? {}).map(
    ([name, written]) => [name, longForm(written)] as const,
  );
  const problems = unknownNames(
    given,
    declared.map(([name]) => name),
  );
  const values = declared.flatMap(([name, input]): [string, InputValue][] => {
    const read = valueFor(input, Object.hasOwn(given, name) ? given[name] : undefined, hasStandIns ? name : undefined);
    if ("value" in read) return [[name, { value: read.value, is_untrusted: input.untrusted ?? false }]];
    problems.push(`input ${quoted(name)}: ${read.reason ?? missing(name, input, source.asker)}`);
    return [];
  });
  const bytes = values.reduce((sum, [, { value }]) => sum + Buffer.byteLength(value), 0);
  if (bytes > mostBytes)
    problems.push(`the values of all inputs have ${bytes} bytes, at most ${mostBytes} are taken; shorten them`);
  if (problems.length > 0) throw new Fault("usage", problems.join("\n"));
  return Object.fromEntries(values);
}

/** `name=value` words of the command line. Throws Fault `usage`. */
export function inputWords(words: readonly string[]): GivenInputs {
  const given = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf("=");
    const name = word.slice(0, at);
    if (at <= 0)
      throw new Fault("usage", `--input ${quoted(word)} names no value`, { remedy: "write --input NAME=VALUE" });
    if (given.has(name))
      throw new Fault("usage", `--input ${quoted(name)} is given twice`, { remedy: "give one value" });
    given.set(name, word.slice(at + 1));
  }
  return Object.fromEntries(given);
}

/** Names of the inputs that have no default. */
export function requiredInputs({ inputs = {} }: JobFile): string[] {
  return Object.keys(inputs).filter((name) => longForm(inputs[name] ?? "").default === undefined);
}

function longForm(written: WrittenInput): Declared {
  if (typeof written === "string") return { type: "string", default: written };
  if (typeof written === "number") return { type: "number", default: written };
  return typeof written === "boolean" ? { type: "boolean", default: written } : written;
}

function unknownNames(given: GivenInputs, known: readonly string[]): string[] {
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  return unknown.slice(0, 20).map((name) => {
    const meant = nearest(name, known);
    const others = known.length > 0 ? `the inputs are ${known.join(", ")}` : "this job has none";
    return `there is no input ${quoted(name)}; ${meant ? `did you mean ${quoted(meant)}?` : others}`;
  });
}

/** `standIn` is the name of the input where an example may stand for a missing value. No reason means it is missing. */
function valueFor(
  input: Declared,
  given: string | undefined,
  standIn: string | undefined,
): { value: string } | { reason?: string } {
  if (given !== undefined) return checked(input, given);
  if (input.default !== undefined) return { value: String(input.default) };
  if (standIn === undefined) return {};
  const examples = { string: standIn, number: "1", boolean: "true", choice: input.options?.[0] ?? standIn };
  return { value: examples[input.type ?? "string"] };
}

function checked({ type = "string", options = [] }: Declared, given: string): { value: string } | { reason: string } {
  const refused = refusedCharacters(given, 100_000);
  if (refused) return { reason: refused };
  if (type === "number" && !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(given)) {
    return { reason: `expected a number, found ${found(given)}` };
  }
  if (type === "boolean" && given !== "true" && given !== "false") {
    return { reason: `expected true or false, found ${found(given)}` };
  }
  if (type !== "choice" || options.includes(given)) return { value: given };
  const meant = nearest(given, options);
  const remedy = meant
    ? `did you mean ${quoted(meant)}?`
    : `choose one of ${options.slice(0, 20).map(quoted).join(", ")}`;
  return { reason: `${quoted(given)} is none of its options; ${remedy}` };
}

function missing(name: string, { description }: Declared, asker: JobSource["asker"]): string {
  const what = description === undefined ? "" : ` (${description.replace(/\s+/g, " ").slice(0, 120)})`;
  return `a value is missing${what}; give it: ${inputOption(asker, name)}`;
}
