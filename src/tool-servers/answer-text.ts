/**
 * What a tool of a server answered, as text for a model: pictures, sounds and files come apart from it, with a note in
 * their place. Pure.
 */
export interface Payload {
  mediaType: string;
  bytes: Buffer;
}

/** A block of an answer, as far as it is used. */
export interface AnswerBlock {
  type: string;
  text?: string | undefined;
  data?: string | undefined;
  mimeType?: string | undefined;
  uri?: string | undefined;
  name?: string | undefined;
  resource?: { uri: string; mimeType?: string | undefined; text?: string; blob?: string } | undefined;
}

/** Blocks of one answer that are looked at; more are counted. */
const mostBlocks = 1_000;

/** `note` says where a payload is kept. */
export function answerText(
  blocks: readonly AnswerBlock[],
  structured: unknown,
  note: (payload: Payload) => string,
): string {
  const parts = blocks.slice(0, mostBlocks).map((block) => blockText(block, note));
  if (blocks.length > mostBlocks) parts.push(`[${blocks.length - mostBlocks} further parts left out]`);
  if (parts.length === 0 && structured !== undefined) parts.push(JSON.stringify(structured));
  return parts.join("\n");
}

function blockText(block: AnswerBlock, note: (payload: Payload) => string): string {
  const { type, text, data, mimeType, uri, name, resource } = block;
  switch (type) {
    case "text":
      return text ?? "";
    case "image":
    case "audio":
      return note({ mediaType: mediaType(mimeType), bytes: Buffer.from(data ?? "", "base64") });
    case "resource_link":
      return `[a resource: ${line(name)} ${line(uri)}]`;
    case "resource":
      return resource ? resourceText(resource, note) : "";
    default:
      return `[a part of a kind that is not read: ${line(type)}]`;
  }
}

function resourceText(
  { uri, mimeType, text, blob }: NonNullable<AnswerBlock["resource"]>,
  note: (payload: Payload) => string,
): string {
  if (text !== undefined) return `[resource ${line(uri)}]\n${text}`;
  return `[resource ${line(uri)}] ${note({ mediaType: mediaType(mimeType), bytes: Buffer.from(blob ?? "", "base64") })}`;
}

/** What a server names a thing, on one line. */
function line(written = ""): string {
  return JSON.stringify(written.slice(0, 300));
}

function mediaType(written = ""): string {
  return /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(written) ? written : "application/octet-stream";
}
