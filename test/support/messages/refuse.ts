import { type Block, type Body, blocksOf, type CacheControl, type Turn } from "./body.ts";

/** What the real endpoint refuses, in its words as far as they are known; undefined where it would take the request. */
export function refuse(raw: unknown, known: { fields: ReadonlySet<string> }): string | undefined {
  if (!isRecord(raw)) return "Input should be a valid dictionary";
  for (const field of Object.keys(raw)) if (!known.fields.has(field)) return `${field}: Extra inputs are not permitted`;
  if (typeof raw.model !== "string" || raw.model === "") return "model: Field required";
  if (!Number.isInteger(raw.max_tokens) || Number(raw.max_tokens) < 1) return "max_tokens: Field required";
  if (!Array.isArray(raw.messages) || raw.messages.length === 0) return "messages: at least one message is required";
  const body = raw as unknown as Body;
  return refuseSystem(body) ?? refuseTools(body) ?? refuseMessages(body.messages) ?? refuseCache(body);
}

/** What a request may say. */
export const requestFields: ReadonlySet<string> = new Set(
  `model messages max_tokens system tools tool_choice stream metadata stop_sequences temperature top_k top_p thinking
  service_tier container cache_control output_config inference_geo diagnostics speed user_profile_id workspace_id`.split(
    /\s+/,
  ),
);

const blockFields: Readonly<Record<string, readonly string[]>> = {
  text: ["type", "text", "cache_control", "citations"],
  tool_use: ["type", "id", "name", "input", "cache_control", "caller"],
  tool_result: ["type", "tool_use_id", "content", "is_error", "cache_control"],
  thinking: ["type", "thinking", "signature"],
  redacted_thinking: ["type", "data"],
};
const toolFields = ["name", "description", "input_schema", "cache_control", "type", "strict"];
const allowedIn = { user: ["text", "tool_result"], assistant: ["text", "tool_use", "thinking", "redacted_thinking"] };
const mostMarks = 4;

function refuseSystem({ system }: Body): string | undefined {
  if (system === undefined || typeof system === "string") return undefined;
  if (!Array.isArray(system)) return "system: Input should be a valid string";
  for (const [index, block] of system.entries()) {
    if (block.type !== "text") return `system.${index}.type: Input should be 'text'`;
    const wrong = refuseBlock(block, `system.${index}`);
    if (wrong) return wrong;
  }
  return undefined;
}

function refuseTools({ tools }: Body): string | undefined {
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools)) return "tools: Input should be a valid list";
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    const at = `tools.${index}`;
    const extra = Object.keys(tool).find((field) => !toolFields.includes(field));
    if (extra) return `${at}.custom.${extra}: Extra inputs are not permitted`;
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(tool.name ?? "")) return `${at}.custom.name: String should match pattern`;
    if (tool.input_schema?.type !== "object") return `${at}.custom.input_schema.type: Field required`;
    if (names.has(tool.name)) return "tools: Tool names must be unique.";
    names.add(tool.name);
  }
  return undefined;
}

function refuseMessages(messages: readonly Turn[]): string | undefined {
  let asked: string[] = [];
  const seen = new Set<string>();
  for (const [index, turn] of messages.entries()) {
    const at = `messages.${index}`;
    const wrong =
      refuseRole(turn, index) ?? refuseTurn(turn, at) ?? refuseResults(turn, { asked, at, before: index - 1 });
    if (wrong) return wrong;
    asked = idsIn(turn);
    if (asked.some((id) => seen.has(id)) || new Set(asked).size < asked.length) {
      return `${at}: \`tool_use\` ids must be unique`;
    }
    for (const id of asked) seen.add(id);
  }
  const last = messages.at(-1);
  if (asked.length > 0) return withoutResults(`messages.${messages.length - 1}`, asked);
  return last?.role === "assistant" ? refuseEnd(last) : undefined;
}

function refuseRole({ role }: Turn, index: number): string | undefined {
  if (role === (index % 2 === 0 ? "user" : "assistant")) return undefined;
  return `messages: roles must alternate between "user" and "assistant", messages.${index} is "${role}"`;
}

function idsIn({ content }: Turn): string[] {
  return blocksOf(content).flatMap((block) => (block.type === "tool_use" && block.id ? [block.id] : []));
}

/** An answer that is to be gone on with may not end in a space. */
function refuseEnd({ content }: Turn): string | undefined {
  const last = blocksOf(content).at(-1);
  return /\s$/.test(last?.text ?? "")
    ? "messages: final assistant content cannot end with trailing whitespace"
    : undefined;
}

function refuseTurn({ role, content }: Turn, at: string): string | undefined {
  if (typeof content !== "string" && !Array.isArray(content)) return `${at}.content: Input should be a valid list`;
  if (content.length === 0) return `${at}: all messages must have non-empty content`;
  const blocks = blocksOf(content);
  for (const [index, block] of blocks.entries()) {
    const place = `${at}.content.${index}`;
    if (!allowedIn[role].includes(block.type)) return `${place}: unexpected block of type \`${block.type}\``;
    const wrong = refuseBlock(block, place);
    if (wrong) return wrong;
  }
  const firstOther = blocks.findIndex(({ type }) => type !== "tool_result");
  const lastResult = blocks.findLastIndex(({ type }) => type === "tool_result");
  if (firstOther === -1 || lastResult < firstOther) return undefined;
  return `${at}: \`tool_result\` blocks must come first in the content of a message`;
}

function refuseBlock(block: Block, at: string): string | undefined {
  const fields = blockFields[block.type];
  if (!fields) return `${at}: Input tag '${block.type}' found using 'type' does not match any of the expected tags`;
  const extra = Object.keys(block).find((field) => !fields.includes(field));
  if (extra) return `${at}.${block.type}.${extra}: Extra inputs are not permitted`;
  if (block.type === "text" && !block.text) return "messages: text content blocks must be non-empty";
  if (block.type === "text" && block.text?.trim() === "") {
    return "messages: text content blocks must contain non-whitespace text";
  }
  if (block.type === "thinking" && !block.signature) return `${at}.thinking.signature: Field required`;
  return block.type === "tool_use" ? refuseUse(block, at) : undefined;
}

function refuseUse({ id = "", name = "", input }: Block, at: string): string | undefined {
  if (!/^[a-zA-Z0-9_-]+$/.test(id)) return `${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`;
  if (!/^[a-zA-Z0-9_-]{1,200}$/.test(name)) return `${at}.tool_use.name: String should match pattern`;
  return isRecord(input) ? undefined : `${at}.tool_use.input: Input should be a valid dictionary`;
}

function refuseResults(
  { content }: Turn,
  { asked, at, before }: { asked: readonly string[]; at: string; before: number },
): string | undefined {
  const answered = blocksOf(content).flatMap((block) =>
    block.type === "tool_result" ? [block.tool_use_id ?? ""] : [],
  );
  const orphan = answered.find((id) => !asked.includes(id));
  if (orphan !== undefined) {
    return `${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${orphan}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
  }
  if (new Set(answered).size < answered.length) return `${at}: each tool_use must have a single result`;
  const missing = asked.filter((id) => !answered.includes(id));
  return missing.length > 0 ? withoutResults(`messages.${before}`, missing) : undefined;
}

function withoutResults(at: string, ids: readonly string[]): string {
  return `${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${ids.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
}

function refuseCache(body: Body): string | undefined {
  const blocks = [...blocksOf(body.system), ...body.messages.flatMap(({ content }) => blocksOf(content))];
  const marks = [...(body.tools ?? []), ...blocks, body].flatMap(({ cache_control: mark }) => (mark ? [mark] : []));
  if (marks.length > mostMarks) {
    return `A maximum of ${mostMarks} blocks with cache_control may be provided. Found ${marks.length}.`;
  }
  if (!marks.every(isMark)) return "cache_control: Input should be {type: 'ephemeral', ttl?: '5m' | '1h'}";
  const firstShort = marks.findIndex(({ ttl }) => ttl !== "1h");
  const lateLong = marks.findLastIndex(({ ttl }) => ttl === "1h");
  if (firstShort !== -1 && lateLong > firstShort) {
    return "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.";
  }
  return undefined;
}

function isMark(mark: CacheControl): boolean {
  return mark.type === "ephemeral" && (mark.ttl === undefined || mark.ttl === "5m" || mark.ttl === "1h");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
