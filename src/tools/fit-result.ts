import type { Pointer } from "../protocol/run-fact.ts";
import type { Asking } from "./asking.ts";
import type { ToolOutcome } from "./tool.ts";

/** Characters of one result. */
const mostCharacters = 30_000;
/** Of one that is kept elsewhere: its beginning and its end. */
const headCharacters = 8_000;
const tailCharacters = 4_000;

/** What a model is told, which is never longer than one result may be, and where the whole is if that is not all. */
export interface Fitted {
  content: string;
  pointer?: Pointer;
}

/**
 * A result that is too long is kept as an artifact, and the model sees its ends and how to read the rest. One that says
 * itself how to get more is only cut.
 */
export async function fitResult({ content, more }: ToolOutcome, asking: Asking): Promise<Fitted> {
  const text = content.toWellFormed();
  if (text.length <= mostCharacters) return { content: text };
  if (more !== undefined) return { content: cut(text, more) };
  const { sha256, bytes } = await asking.keep(text);
  const path = artifactPath(sha256);
  return { content: ends(text, path), pointer: { path, sha256, bytes } };
}

/** What `read` takes in the place of a file's path. */
export function artifactPath(sha256: string): string {
  return `artifact:${sha256}`;
}

/** The id of the artifact that is meant; undefined for a path. */
export function artifactNamed(path: string): string | undefined {
  return /^artifact:([0-9a-f]{64})$/.exec(path)?.[1];
}

/** Pure; the end of the text is lost. */
export function cut(content: string, more?: string): string {
  const text = content.toWellFormed();
  if (text.length <= mostCharacters) return text;
  const kept = text.slice(0, mostCharacters).toWellFormed();
  return `${kept}\n[cut at ${kept.length} of ${text.length} characters${more ? `; ${more}` : ""}]`;
}

function ends(text: string, path: string): string {
  const left = text.length - headCharacters - tailCharacters;
  const gap = `[${left} of ${text.length} characters left out; read {"file_path": "${path}"} shows them, page by page]`;
  return `${text.slice(0, headCharacters).toWellFormed()}\n${gap}\n${text.slice(-tailCharacters).toWellFormed()}`;
}
