/**
 * Parts of a request that an endpoint may do without. One that it refuses by name is left out from then on; nothing is
 * left out because of a refusal that names none.
 */
export const droppable = [
  "ttl",
  "cache_control",
  "is_error",
  "signature",
  "thinking",
  "stream",
  "anthropic-beta",
] as const;
export type Droppable = (typeof droppable)[number];

/** The field of `sent` that the text of a refusal (of status 400 or 422) is about. */
export function refusedField(text: string, sent: ReadonlySet<Droppable>): Droppable | undefined {
  if (!refusing.test(text)) return undefined;
  return droppable.find((field) => sent.has(field) && names[field].test(text));
}

/** Of Anthropic and pydantic, serde, Go's decoder, OpenAI's and other servers' own words. */
const refusing =
  /extra (inputs?|fields?)|not permitted|not allowed|not supported|unsupported|does not support|un(known|recogni[sz]ed|expected|supported)|additional propert|no such|invalid (field|parameter|argument|key|type)|invalid .{0,20}signature|cannot unmarshal|should be|must (be|remain)|cannot be|expected/i;

/** A system text with a cache mark is a list of blocks; servers that know only the text say so of `system`. */
const names: Readonly<Record<Droppable, RegExp>> = {
  ttl: /\bttl\b/i,
  cache_control: /\bcache_control\b|\bsystem\b.*\bstring\b|\bstring\b.*\bsystem\b/is,
  is_error: /\bis_error\b/i,
  /** Thoughts that were signed for another conversation than what this one has become; those of other runs are good. */
  signature: /\bsignatures?\b|\bthinking\b.*\b(modified|bound|match)/is,
  thinking: /\b(redacted_)?thinking\b/i,
  stream: /\bstream(ing)?\b/i,
  "anthropic-beta": /\banthropic[-_]beta\b|\bbetas?\b/i,
};

/** A refusal because the request does not fit, in the words of Anthropic, vLLM, llama.cpp, LM Studio, Ollama, LiteLLM. */
export function isTooLong(text: string): boolean {
  return tooLong.test(text);
}

const tooLong =
  /(prompt|input|request|messages?|conversation)\b.{0,40}\b(is|are|was|too|has)\b.{0,20}\b(long|large|many tokens)|(exceeds?|exceeded|overflows?|larger|longer|greater|more|maximum|available|fit).{0,60}\bcontext([ _-](length|size|window|limit))?|\bcontext[ _-]?(length|window|size|limit)\b.{0,60}(exceed|overflow|too|not enough|is \d|reached)|too many (input |prompt )?tokens|input length and `?max_tokens`? exceed|maximum (prompt|input) length/is;
