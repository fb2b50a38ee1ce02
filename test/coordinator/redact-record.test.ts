import fc from "fast-check";
import { expect, it } from "vitest";
import { redactRecord } from "../../src/coordinator/result/redact-record.ts";
import type { Fact } from "../../src/protocol/event.ts";
import { noUsage } from "../../src/protocol/message.ts";
import { createRedactor } from "../../src/telemetry/redact.ts";

const secret = "correct-horse-battery";
const redact = createRedactor([secret, "read", "main"]);

it("No secret that a model says stays in the log, whatever part of its answer it stands in.", () => {
  const facts: Fact[] = [
    {
      type: "turn.finished",
      data: {
        turn: 1,
        answer: [
          { type: "thinking", thinking: `it is ${secret}`, signature: `s${secret}` },
          { type: "redacted_thinking", data: `x${secret}` },
          { type: "text", text: secret },
          { type: "tool_use", id: `a-${secret}`, name: secret, input: { [secret]: secret } },
          { type: "tool_use", id: "b", name: "read", input: {}, malformed: `{"a":"${secret}` },
        ],
        usage: noUsage,
        stop: "tool_use",
        model: secret,
        request_id: secret,
      },
    },
    { type: "tool.intended", data: { call_id: `a-${secret}`, tool: `mcp__${secret}__x`, rule: "r" } },
    {
      type: "turn.started",
      data: {
        turn: 1,
        model: "m",
        opening: { system_sha256: "", tools_sha256: "", brief_sha256: "", prefix_sha256: "", prompt: secret },
      },
    },
  ];
  const kept = facts.map((fact) => redactRecord(fact, redact));
  expect(JSON.stringify(kept)).not.toContain(secret);
});

it("Names that the log is read by stay, also where a secret is a common word.", () => {
  const said = { tool: "read", name: "main", state: "main", tools: [{ name: "read" }], type: "tool_use", id: "c1" };
  expect(redactRecord({ ...said, name: "read" }, redact)).toEqual({ ...said, name: "read" });
  expect(redactRecord({ name: "main", path: "main" }, redact)).toEqual({ name: "main", path: "main" });
});

it("One look at all words of a record finds what a look at each of them finds.", () => {
  const keys = ["text", "input", "reason", "tool", "name", "id", "type", "data", "path", "content", "signature"];
  const pieces = [
    ...[
      "a",
      "\n",
      "\\n",
      " ",
      "read",
      "tool_use",
      "redacted_thinking",
      "sk-",
      "ant-",
      "0123456789abcdefghij",
      "eyJ",
      ".",
      "-",
    ],
    ...[
      "\n... 12 bytes left out ...\n",
      "correct-",
      "horse-",
      "battery",
      "Y29ycmVjdC1ob3J",
      "zZS1iYXR0ZXJ5",
      "authorization: ",
    ],
    ...["bearer ", "://u:p@h", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "\u0001"],
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((some) => some.join(""));
  const { record } = fc.letrec((tie) => ({
    record: fc.dictionary(fc.oneof(fc.constantFrom(...keys), text), tie("value"), { maxKeys: 5 }),
    value: fc.oneof(
      { depthSize: "small" },
      text,
      fc.integer(),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("record"),
    ),
  }));
  fc.assert(
    fc.property(record, (value) => {
      // Beside a secret it is looked at piece by piece.
      const { piecewise } = redactRecord({ piecewise: value, text: secret }, redact);
      expect(JSON.stringify(redactRecord(value, redact))).toBe(JSON.stringify(piecewise));
    }),
    { numRuns: 3_000 },
  );
});
