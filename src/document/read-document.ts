import type { z } from "zod";
import type { FaultCode } from "../protocol/failure.ts";
import { explainIssues } from "./explain.ts";
import { withoutExtensions } from "./extensions.ts";
import { type ParsedDocument, parseYaml } from "./parse-yaml.ts";
import { type Place, placesIn } from "./place.ts";
import { plainValue } from "./plain-value.ts";
import { listed, type Problem } from "./problem.ts";
import { maxDocumentBytes, refusedText } from "./refused-text.ts";

/**
 * Reads YAML that people wrote. It never guesses: what is not in the schema, written twice, of another type, too
 * large or too deep is refused with file, line, column, the reason and what to write instead, all problems at once.
 */
export interface DocumentOptions<Value> {
  /** What errors call the file, such as `jobs/lint.yaml`. */
  file: string;
  schema: z.ZodType<Value>;
  /** The code of the Fault that is thrown. */
  code: FaultCode;
  remedy?: string;
  /** Default 1 MB. */
  maxBytes?: number;
}

/** A value and where each part of it stands: `place(["checks", 0])` is `jobs/lint.yaml:4:3`. */
export interface PlacedDocument<Value> {
  value: Value;
  /** As it was written, before the schema made anything of it; `x-` keys are still there. */
  written: unknown;
  place: Place;
}

/** One document. Throws Fault with the caller's code; its message has one line per problem, at most 21 lines. */
export function readDocument<Value>(text: string, options: DocumentOptions<Value>): PlacedDocument<Value> {
  const [document] = readStream(text, { ...options, maxDocuments: 1 });
  if (!document) throw listed([{ offset: 0, message: emptyFile }], text, options);
  return document;
}

/** A stream of one or more documents separated by `---`, as ast-grep rule files are. Throws as `readDocument` does. */
export function readDocuments<Value>(text: string, options: DocumentOptions<Value>): PlacedDocument<Value>[] {
  return readStream(text, { ...options, maxDocuments: 200 });
}

const emptyFile = "the file is empty; write at least the keys that are required";

function readStream<Value>(
  source: string,
  options: DocumentOptions<Value> & { maxDocuments: number },
): PlacedDocument<Value>[] {
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const refused = refusedText(text, options.maxBytes ?? maxDocumentBytes);
  if (refused) throw listed([refused], text, options);
  const { documents, problems } = parseYaml(text, options.maxDocuments);
  if (problems.length > 0) throw listed(problems, text, options);
  if (documents.length === 0) throw listed([{ offset: 0, message: emptyFile }], text, options);
  const read = documents.map((document) => readOne(document, text, options));
  const found = read.flatMap((one) => one.problems);
  if (found.length > 0) throw listed(found, text, options);
  return read.flatMap((one) => one.document ?? []);
}

function readOne<Value>(
  parsed: ParsedDocument,
  text: string,
  options: DocumentOptions<Value>,
): { document?: PlacedDocument<Value>; problems: Problem[] } {
  const plain = plainValue(parsed);
  // A value that cannot be expanded is not shown to the schema: checking it would expand it.
  if (plain.isTooLarge) return { problems: plain.problems };
  const places = placesIn(parsed, plain.aliases);
  const value = withoutExtensions(plain.value, options.schema);
  // The empty message marks every issue for which the schema has no words of its own; explainIssues finds them.
  const checked = options.schema.safeParse(value, { error: () => "" });
  const issues = checked.success ? [] : explainIssues(checked.error.issues, value, options.schema);
  const problems = [...plain.problems, ...issues.map((issue) => places.problem(issue))];
  if (!checked.success || problems.length > 0) return { problems };
  return { document: { value: checked.data, written: plain.value, place: places.named(options.file, text) }, problems };
}
