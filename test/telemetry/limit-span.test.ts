import fc from "fast-check";
import { expect, test } from "vitest";
import { limitSpan, type SpanContent, spanLimits } from "../../src/telemetry/limit-span.ts";
import { createRedactor } from "../../src/telemetry/redact.ts";

const empty: SpanContent = { name: "n", attributes: {}, events: [], links: [] };
const asIs = (text: string) => text;

test("whatever a span holds, it leaves within its limits, well-formed and without NUL", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 50 }),
    fc
      .tuple(fc.constantFrom("x", "é", "\u{1f600}", "\0", "\ud800"), fc.integer({ min: 0, max: 40_000 }))
      .map(([unit, count]) => unit.repeat(count)),
  );
  const value = fc.oneof(text, fc.double(), fc.boolean(), fc.array(text, { maxLength: 5 }));
  const attributes = fc.dictionary(fc.string(), value, { maxKeys: 30 });
  const event = fc.record({ name: text, at_ns: fc.constant("1"), attributes });
  const content = fc.record({
    name: text,
    status_message: text,
    attributes,
    events: fc.array(event, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(content, (given) => {
      const limited = limitSpan({ ...given, links: [] }, asIs).content;
      const json = JSON.stringify(limited);
      expect(Buffer.byteLength(limited.name)).toBeLessThanOrEqual(spanLimits.name);
      expect(json.includes("\\u0000")).toBe(false);
      expect(/\\ud[89a-f]/.test(json)).toBe(false);
      for (const kept of Object.values(limited.attributes)) {
        if (typeof kept === "string") expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(spanLimits.attribute);
        if (typeof kept === "number") expect(Number.isFinite(kept)).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});

test("a span as a whole stays under 256 kB, and says that it was cut", () => {
  const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, "x".repeat(16_000)]));
  const { content, bytes } = limitSpan({ ...empty, attributes }, asIs);
  expect(Buffer.byteLength(JSON.stringify(content))).toBeLessThanOrEqual(spanLimits.span);
  expect(bytes).toBeLessThanOrEqual(spanLimits.span);
  expect(content.attributes).toMatchObject({ "sheaf.truncated": true });
});

test("a span within its limits comes back equal", () => {
  const given: SpanContent = {
    name: "execute_tool edit",
    status_message: "no such file",
    attributes: { a: "text", b: 1, c: true, d: ["x", "y"] },
    events: [{ name: "retry", at_ns: "5", attributes: { e: 0.5 } }],
    links: [{ trace_id: "a".repeat(32), span_id: "b".repeat(16) }],
  };
  expect(limitSpan(given, asIs).content).toEqual(given);
});

test("names, messages, attributes and events are all redacted", () => {
  const hide = createRedactor(["hunter2hunter2"]);
  const secret = "is hunter2hunter2.";
  const given: SpanContent = {
    name: secret,
    status_message: secret,
    attributes: { a: secret, b: [secret] },
    events: [{ name: secret, at_ns: "5", attributes: { c: secret } }],
    links: [],
  };
  const json = JSON.stringify(limitSpan(given, hide).content);
  expect(json).not.toContain("hunter2");
  expect(json.match(/\[redacted:secret\]/g)).toHaveLength(6);
});

test("no half of a secret is left at a cut, wherever the secret stands", () => {
  const secret = "S3CRET".repeat(10);
  const hide = createRedactor([secret]);
  for (const at of [16_320, 16_350, 16_384, 131_000, 131_040, 131_071]) {
    const text = "x".repeat(at) + secret + "y".repeat(200_000);
    expect(JSON.stringify(limitSpan({ ...empty, attributes: { text } }, hide).content)).not.toContain("S3CRET");
  }
  // The secrets before it shrink, so that the end of what was read comes within the limit.
  const shrinking = `${secret} `.repeat(Math.floor(131_072 / 61)) + secret.repeat(20);
  expect(JSON.stringify(limitSpan({ ...empty, attributes: { shrinking } }, hide).content)).not.toContain("S3CRET");
});

test("what a small span holds is hidden as if each text of it was looked at alone", () => {
  const secrets = ["hunter2hunter2", "two\nlines-of-it", "a\u0001b-secret"];
  const hide = createRedactor(secrets);
  const piece = fc.oneof(
    fc.constantFrom(
      ...secrets,
      "hunter2",
      "npm_",
      "abcdefghijklmnopqrst",
      "\n",
      "\\n",
      "\u0001",
      "://user:pw@",
      "@",
      " ",
    ),
    fc.constantFrom(
      "\n... 5 bytes left out ...\n",
      Buffer.from("hunter2hunter2").toString("base64"),
      "bearer ",
      "plain",
    ),
  );
  const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(""));
  const texts = fc.tuple(text, text, text, text, text, text);
  fc.assert(
    fc.property(texts, ([name, status_message, one, two, three, four]) => {
      const { content } = limitSpan(
        {
          name,
          status_message,
          attributes: { one, list: [two, three], count: 1 },
          events: [{ name: four, at_ns: "5", attributes: { one } }],
          links: [],
        },
        hide,
      );
      expect(content).toEqual({
        name: hide(name),
        status_message: hide(status_message),
        attributes: { one: hide(one), list: [hide(two), hide(three)], count: 1 },
        events: [{ name: hide(four), at_ns: "5", attributes: { one: hide(one) } }],
        links: [],
      });
    }),
    { numRuns: 300 },
  );
});
