import fc from "fast-check";
import { expect, test } from "vitest";
import { createCapture } from "../../src/sandbox/capture.ts";
import { createRedactor, createSecretFinder, redact } from "../../src/telemetry/redact.ts";

const tokens: readonly (readonly [string, string])[] = [
  ["anthropic-key", `sk-ant-${"api03-AbCdEf_123456-7890"}`],
  ["openai-key", `sk-proj-${"AbCdEf1234567890AbCdEf"}`],
  ["github-token", `ghp_${"AbCdEf1234567890AbCdEf1234567890AbCd"}`],
  ["github-token", `github_pat_${"11ABCDEFG0123456789_abcdefghijklmnop"}`],
  ["gitlab-token", `glpat-${"abcdEFGH1234_-567890"}`],
  ["slack-token", `xoxb-${"123456789012-abcdefABCDEF"}`],
  ["aws-key", `AKIA${"IOSFODNN7EXAMPLE"}`],
  ["sheaf-token", `sheaf_${"AbCdEf1234567890_-bCdEf1234567890AbCdEf12345"}`],
  ["npm-token", `npm_${"AbCdEf1234567890AbCdEf1234567890AbCd"}`],
  ["jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"],
];

test.each(tokens)("a token of the format %s is hidden wherever it stands", (kind, token) => {
  for (const [before, after] of [
    ["", ""],
    ["key=", "\n"],
    ["'", "'"],
    ["see (", ")"],
    ["x ", " y"],
  ] as const) {
    expect(redact(`${before}${token}${after}`, [])).toBe(`${before}[redacted:${kind}]${after}`);
  }
});

test("the credential of an Authorization header is hidden, its scheme is not", () => {
  expect(redact("Authorization: Bearer abc.def\r\nHost: x", [])).toBe(
    "Authorization: Bearer [redacted:authorization]\r\nHost: x",
  );
  expect(redact('{"authorization":"Basic dXNlcjpwYXNz"}', [])).toBe(
    '{"authorization":"Basic [redacted:authorization]"}',
  );
});

test("source code that speaks of authorization stays as it is", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source code of someone else
  const code = "headers: { authorization: string; Authorization: `Bearer ${token}` } // task-2f1e, npm_config_registry";
  expect(redact(code, [])).toBe(code);
});

test("the user info of a URL is hidden, an at sign elsewhere is not", () => {
  expect(redact("clone https://me:p@ss@host.example/a@b?c=d@e", [])).toBe(
    "clone https://[redacted:url-user-info]@host.example/a@b?c=d@e",
  );
  expect(redact("https://host.example/@scope/package me@host.example", [])).toBe(
    "https://host.example/@scope/package me@host.example",
  );
});

test("a private key is hidden to its end, and to the end of the text where it was cut off", () => {
  const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----";
  expect(redact(`a\n${key}\nb`, [])).toBe("a\n[redacted:private-key]\nb");
  expect(redact(`a\n${key.slice(0, 40)}`, [])).toBe("a\n[redacted:private-key]");
});

test("overlapping secrets are hidden as one stretch, with no end of either left over", () => {
  expect(redact("xxabcdefghiyy", ["abcdef", "defghi"])).toBe("xx[redacted:secret]yy");
});

test("a known secret survives neither as it is nor in base64, URL or JSON encoding, whatever surrounds it", () => {
  const secret = fc.string({ minLength: 6, maxLength: 40, unit: "binary" }).filter((text) => text.isWellFormed());
  const around = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(secret, around, around, (value, before, after) => {
      fc.pre(!"[redacted:secret]".includes(value));
      const hide = createRedactor([value]);
      const forms = [
        value,
        encodeURIComponent(value),
        JSON.stringify(value).slice(1, -1),
        Buffer.from(value).toString("base64"),
        Buffer.from(value).toString("base64url"),
      ];
      for (const form of forms) {
        expect(hide(`${before}${form}${after}`)).toContain("[redacted:");
        expect(hide(`|${form}|`)).not.toContain(form);
      }
    }),
  );
});

test("a secret inside a longer base64 text is hidden at each of its three places", () => {
  const value = "correct-horse-battery";
  for (const user of ["", "a", "ab", "abc", "user:"]) {
    const encoded = Buffer.from(`${user}${value}${user}`).toString("base64");
    const hidden = redact(`Basic-ish ${encoded}.`, [value]);
    expect(hidden).toContain("[redacted:secret]");
    const left = hidden.replace("Basic-ish ", "").split("[redacted:secret]").join("");
    expect(Buffer.from(left, "base64").toString()).not.toContain(value.slice(1, -1));
  }
});

test("text without a secret comes back as it is", () => {
  const dull = fc.stringMatching(/^[a-z ,()\n]{0,200}$/).filter((text) => !text.includes("bearer"));
  fc.assert(fc.property(dull, (text) => void expect(redact(text, ["hunter2hunter2"])).toBe(text)));
});

test("any text at all, even half a character, is taken", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string(), (text, secret) => void redact(text, [secret])));
  expect(redact("\ud800 x", ["\ud800ab"])).toBe("\ud800 x");
});

const many = 400_000;
test.each([
  "eyJ",
  "eyJaaaaaaaa.",
  "://",
  "a@",
  "://a@a@",
  "authorization:",
  "authorization: bearer ",
  "bearer ",
  " ",
  "-----BEGIN ",
  "-----BEGIN PRIVATE KEY-----",
  "-----END PRIVATE KEY",
  "sk-ant-",
  "sk-ant-aaaaaaaaa ",
  "ghp_aaaaaaaaaaaaaaaaaaa-",
  ".",
  "A",
])("hundreds of thousands of characters made of %j are done at once", (piece) => {
  // A quadratic expression would take minutes here, and end this test by the runner's limit.
  const text = `://${piece.repeat(Math.ceil(many / piece.length))}`;
  expect(redact(text, ["hunter2hunter2"]).length).toBeGreaterThan(0);
});

test("a secret of several lines is hidden line by line, whatever stands before each", () => {
  const key = "first-line-of-it\r\nsecond-line-of-it\nshort\n";
  const hidden = redact("| first-line-of-it\n| second-line-of-it\n| short\n", [key]);
  expect(hidden).toBe("| [redacted:secret]\n| [redacted:secret]\n| short\n");
});

test("of a secret where output was cut, neither half is left", () => {
  const secret = "correct-horse-battery";
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }), (before, behind) => {
      const capture = createCapture({ headBytes: 30, tailBytes: 30 });
      capture.add(Buffer.from(`${".".repeat(before)}${secret}${"-".repeat(40)}`));
      capture.add(Buffer.from(`${secret}${".".repeat(behind)}`));
      const hidden = redact(capture.read().toString(), [secret]);
      for (let length = 3; length <= secret.length; length++) {
        for (const half of [secret.slice(0, length), secret.slice(-length)]) {
          expect(hidden).not.toMatch(new RegExp(`${half}\\n\\.\\.\\. |\\.\\.\\.\\n${half}`));
        }
      }
    }),
  );
});

test("a secret is found in a file in every form in which it is hidden from a log", () => {
  const secret = 'pa"ss<wo>rd&more';
  const isHeld = createSecretFinder([secret, "main"]);
  for (const form of [
    secret,
    Buffer.from(secret).toString("base64"),
    Buffer.from(`x:${secret}`).toString("base64").slice(2),
    Buffer.from(secret).toString("hex"),
    encodeURIComponent(secret),
    JSON.stringify(secret),
    "pa&quot;ss&lt;wo&gt;rd&amp;more",
  ]) {
    expect(isHeld(`a ${form} b`), form).toBe(true);
  }
  expect(isHeld("on the branch main")).toBe(false);
});

const awkward = `p@ss'w"o\\rd <$1>&/é!`;
const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
test.each([
  ["a JUnit report", "p@ss&apos;w&quot;o\\rd &lt;$1&gt;&amp;/é!"],
  ["a report by Go", "p@ss&#39;w&#34;o\\rd &lt;$1&gt;&amp;/é!"],
  ["a report by Python", "p@ss&#x27;w&quot;o\\rd &lt;$1&gt;&amp;/é!"],
  ["a report by PHP", "p@ss&#039;w&quot;o\\rd &lt;$1&gt;&amp;/é!"],
  ["a text of XML", `p@ss'w"o\\rd &lt;$1>&amp;/é!`],
  ["single quotes of a shell", `'p@ss'\\''w"o\\rd <$1>&/é!'`],
  ["single quotes beside double ones", `'p@ss'"'"'w"o\\rd <$1>&/é!'`],
  ["double quotes of a shell", `"p@ss'w\\"o\\\\rd <\\$1>&/é!"`],
  ["what set -x prints", `$'p@ss\\'w"o\\\\rd <$1>&/é!'`],
  ["what printf %q prints", `p@ss\\'w\\"o\\\\rd\\ \\<\\$1\\>\\&/é\\!`],
  ["JSON in JSON", inJson(inJson(awkward))],
  ["JSON in JSON in JSON", inJson(inJson(inJson(awkward)))],
  ["JSON by Python", `p@ss'w\\"o\\\\rd <$1>&/\\u00e9!`],
  ["JSON by Go", `p@ss'w\\"o\\\\rd \\u003c$1\\u003e\\u0026/é!`],
  ["JSON by PHP", `p@ss'w\\"o\\\\rd <$1>&\\/\\u00e9!`],
  ["JSON in XML", `p@ss'w\\&quot;o\\\\rd &lt;$1&gt;&amp;/é!`],
  ["XML in JSON", inJson("p@ss&apos;w&quot;o\\rd &lt;$1&gt;&amp;/é!")],
  ["a URL by Python", "p%40ss%27w%22o%5Crd%20%3C%241%3E%26/%C3%A9%21"],
  ["a form", new URLSearchParams({ a: awkward }).toString().slice(2)],
  ["a URL in a URL", encodeURIComponent(encodeURIComponent(awkward))],
])("a secret is hidden in the form that it has in %s", (_, form) => {
  expect(redact(`before ${form} after`, [awkward])).toMatch(/^before ["'$]{0,2}\[redacted:secret\]["']? after$/);
  expect(createSecretFinder([awkward])(Buffer.from(`a ${form} b`))).toBe(true);
});

test("a secret is hidden in base64 and hexadecimal that are printed in lines, wherever a line ends in it", () => {
  const secret = fc.string({ minLength: 12, maxLength: 150 });
  const around = fc.string({ maxLength: 150 });
  const ends = fc.constantFrom("\n", "\r\n", "\n    ", "\\n");
  fc.assert(
    fc.property(secret, around, around, ends, fc.constantFrom(60, 64, 76), (value, before, after, end, columns) => {
      for (const encoding of ["base64", "hex"] as const) {
        const lines = Buffer.from(before + value + after)
          .toString(encoding)
          .match(new RegExp(`.{1,${columns}}`, "g"));
        const text = `x = ${lines?.join(end)}.`;
        const hidden = redact(text, [value]);
        expect(createSecretFinder([value])(Buffer.from(text))).toBe(true);
        const left = hidden.slice(4, -1).replaceAll(end, "").split("[redacted:secret]");
        expect(left.length).toBeGreaterThan(1);
        for (const part of left) expect(Buffer.from(part, encoding).toString()).not.toContain(value.slice(3, -3));
      }
    }),
    { numRuns: 60 },
  );
});

test("lines that are no base64 of a secret stay as they are", () => {
  const lines = `${"A".repeat(76)}\n${"B".repeat(76)}\nplain words\n`.repeat(20);
  expect(redact(lines, ["hunter2hunter2"])).toBe(lines);
});

test("a long output of places that look cut is done at once, with a long key to look for", () => {
  const key = Array.from({ length: 60 }, (_, line) => Buffer.from(`line ${line}`).toString("hex").repeat(6)).join("\n");
  // Minutes, if every beginning of every line were tried at every place.
  expect(redact("\n... 1 bytes left out ...\n".repeat(10_000), [key])).not.toContain("redacted");
});
