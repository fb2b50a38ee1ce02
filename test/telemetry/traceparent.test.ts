import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTraceparent, parseTraceparent } from "../../src/telemetry/traceparent.ts";

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const id = (length: number) => hex(length).filter((text) => !/^0+$/.test(text));

test("what is formatted parses back to the same context", () => {
  const context = fc.record({ traceId: id(32), spanId: id(16), isSampled: fc.boolean() });
  fc.assert(fc.property(context, (given) => void expect(parseTraceparent(formatTraceparent(given))).toEqual(given)));
});

test("any text is either refused or yields two ids that are not zero", () => {
  const near = fc
    .tuple(hex(2), hex(32), hex(16), hex(2), fc.string())
    .map((parts) => parts.slice(0, 4).join("-") + parts[4]);
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      const context = parseTraceparent(text);
      if (!context) return;
      expect(context.traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
      expect(context.spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/);
      expect(text.startsWith("ff")).toBe(false);
    }),
  );
});

const trace = "0af7651916cd43dd8448eb211c80319c";
const span = "b7ad6b7169203331";

test.each([
  ["upper case", `00-${trace.toUpperCase()}-${span}-01`],
  ["an all-zero trace id", `00-${"0".repeat(32)}-${span}-01`],
  ["an all-zero span id", `00-${trace}-${"0".repeat(16)}-01`],
  ["the forbidden version ff", `ff-${trace}-${span}-01`],
  ["more fields in version 00", `00-${trace}-${span}-01-what`],
  ["a trailing dash in version 00", `00-${trace}-${span}-01-`],
  ["surrounding space", ` 00-${trace}-${span}-01`],
  ["a trailing newline", `00-${trace}-${span}-01\n`],
  ["a short id", `00-${trace.slice(1)}-${span}-01`],
  ["a future version that continues without a dash", `01-${trace}-${span}-01x`],
  ["nothing", ""],
])("%s is refused", (_, header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});

test("a future version is read by its first four fields", () => {
  const context = { traceId: trace, spanId: span, isSampled: true };
  expect(parseTraceparent(`01-${trace}-${span}-01`)).toEqual(context);
  expect(parseTraceparent(`cc-${trace}-${span}-03-what-the-future-brings`)).toEqual(context);
});
