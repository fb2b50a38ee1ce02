import fc from "fast-check";
import { expect, test } from "vitest";
import { spanMessage } from "../../src/protocol/span.ts";
import { readSpanMessage } from "../../src/telemetry/read-message.ts";

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const value = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.array(fc.string()),
);
const attributes = fc.dictionary(fc.string(), value, { maxKeys: 5 });
const ns = fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String);
const start = {
  trace_id: hex(32),
  span_id: hex(16),
  name: fc.string(),
  kind: fc.constantFrom("internal", "client", "server"),
  start_ns: ns,
  attributes,
};
const end = {
  ...start,
  end_ns: ns,
  status: fc.constantFrom("unset", "ok", "error"),
  events: fc.array(fc.record({ name: fc.string(), at_ns: fc.string(), attributes }), { maxLength: 3 }),
  links: fc.array(fc.record({ trace_id: hex(32), span_id: hex(16) }), { maxLength: 3 }),
};
const started = fc.record({ ...start, parent_span_id: hex(16) }, { requiredKeys: keysOf(start) });
const ended = fc.record(
  { ...end, parent_span_id: hex(16), status_message: fc.string() },
  { requiredKeys: keysOf(end) },
);
const honest = fc.oneof(
  fc.record({ at: fc.constant("start"), span: started }),
  fc.record({ at: fc.constant("end"), span: ended }),
);

/** What a thread could put in the place of a part, as a message carries it. */
const odd = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  fc.constantFrom<unknown>(
    undefined,
    null,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    [],
    {},
    [""],
    [1],
    "1\n",
    "-1",
    "x",
  ),
  fc.constantFrom<unknown>(JSON.parse('{"__proto__":"x","a":1}'), JSON.parse('{"__proto__":{"a":[]}}'), {
    constructor: {},
  }),
);

test("an honest message is read as the schema reads it", () => {
  fc.assert(fc.property(honest, (message) => sameAsSchema(structuredClone(message), true)));
});

test("a message with any part of it replaced, added or gone is read, or refused, as the schema would", () => {
  fc.assert(
    fc.property(honest, fc.nat(), odd, fc.constantFrom("replace", "add", "remove"), (honestOne, pick, part, how) => {
      const message = structuredClone(honestOne);
      const places = placesIn(message);
      const place = places[pick % places.length];
      if (how === "add") place?.owner && Object.assign(place.owner, { [`more${pick}`]: part });
      else if (how === "remove") place && Reflect.deleteProperty(place.owner, place.key);
      else place && Reflect.set(place.owner, place.key, part);
      const copy = cloned(message);
      if (copy) sameAsSchema(copy.value);
    }),
    { numRuns: 300 },
  );
});

test("whatever is no message at all is refused as the schema refuses it", () => {
  fc.assert(fc.property(odd, (junk) => sameAsSchema(junk)));
});

function sameAsSchema(raw: unknown, isHonest?: boolean): void {
  const parsed = spanMessage.safeParse(raw);
  if (isHonest !== undefined) expect(parsed.success).toBe(isHonest);
  expect(asStored(readSpanMessage(raw))).toEqual(asStored(parsed.data));
}

/** A list may carry more than its items through a clone, which nobody reads. */
function asStored(message: unknown): unknown {
  return message === undefined ? undefined : JSON.parse(JSON.stringify(message));
}

function keysOf<Shape extends object>(shape: Shape): (keyof Shape)[] {
  return Object.keys(shape) as (keyof Shape)[];
}

interface Place {
  owner: object;
  key: string;
}

/** Every place in a message where a part stands. */
function placesIn(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [{ owner: value, key }, ...placesIn(part)]);
}

/** Undefined for what could not be posted at all. */
function cloned(value: unknown): { value: unknown } | undefined {
  try {
    return { value: structuredClone(value) };
  } catch {
    return undefined;
  }
}
