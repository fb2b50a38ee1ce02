import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readDocument, readDocuments } from "../../src/document/read-document.ts";
import { Fault } from "../../src/protocol/failure.ts";

const schema = z.strictObject({
  version: z.literal(1),
  name: z.string().optional(),
  split: z
    .union([
      z.enum(["none", "files"]),
      z.strictObject({ by: z.enum(["none", "files"]), most: z.int().min(1).optional() }),
    ])
    .optional(),
  list: z.array(z.union([z.string(), z.strictObject({ run: z.string(), name: z.string().optional() })])).optional(),
  named: z.record(z.string(), z.strictObject({ a: z.string() })).optional(),
  open: z.unknown().optional(),
});
const options = { file: "f.yaml", schema, code: "job_file" } as const;

function faultOf(text: string): Fault {
  try {
    readDocument(text, options);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error(`accepted: ${text.slice(0, 200)}`);
}

const linesOf = (text: string) => faultOf(text).message.split("\n");

describe("a document", () => {
  it("is its value, with the place of each part", () => {
    const { value, place } = readDocument("version: 1\nlist:\n  - a\n  - { run: b }\n", options);
    expect(value).toEqual({ version: 1, list: ["a", { run: "b" }] });
    expect(place(["list", 1, "run"])).toBe("f.yaml:4:12");
    expect(place(["list", 7])).toBe("f.yaml:3:3");
    expect(place(["nothing"])).toBe("f.yaml:1:1");
  });

  it("may start with a byte order mark and use Windows line ends, and places stay right", () => {
    expect(linesOf("\uFEFFversion: 1\r\nnaem: x\r\n")).toEqual([
      'f.yaml:2:1: unknown key "naem"; did you mean "name"?',
    ]);
  });

  it("may use aliases, and a problem behind one is shown where it was written", () => {
    expect(readDocument("version: 1\nopen: &a [1, {b: 2}]\nlist: [x]\nx-b: *a\n", options).value).toMatchObject({
      open: [1, { b: 2 }],
    });
    expect(linesOf("version: 1\nopen: &a [1]\nnamed: {b: {a: *a}}")).toEqual([
      "f.yaml:3:16: expected a text, found a list",
    ]);
  });

  it("may hold x- keys in every mapping that has named keys, and keeps them in open values", () => {
    const text = "version: 1\nx-a: 1\nnamed: {x-q: 1, b: {a: c, x-f: 2}}\nopen: {x-y: 1}\nlist: [{run: a, x-z: {}}]";
    expect(readDocument(text, options).value).toEqual({
      version: 1,
      named: { b: { a: "c" } },
      open: { "x-y": 1 },
      list: [{ run: "a" }],
    });
  });

  it("is read by the rules of YAML 1.2: yes, on and 012 are what they look like", () => {
    expect(readDocument("version: 1\nopen: [yes, on, 012, 0o14, 1:30, ~]", options).value.open).toEqual([
      "yes",
      "on",
      12,
      12,
      "1:30",
      null,
    ]);
  });

  it("comes in a stream where a stream is expected", () => {
    const read = readDocuments("version: 1\n---\nversion: 1\nname: b\n", options);
    expect(read.map(({ value, place }) => [value.name, place(["name"])])).toEqual([
      [undefined, "f.yaml:1:1"],
      ["b", "f.yaml:4:7"],
    ]);
  });
});

const mistakes: readonly (readonly [text: string, ...lines: string[]])[] = [
  ["", "1:1: the file is empty; write at least the keys that are required"],
  ["# only words\n---\n", "1:1: the file is empty; write at least the keys that are required"],
  ["~", "1:1: expected a mapping (version, name, split, list, named, open), found nothing"],
  ["- 1", "1:1: expected a mapping (version, name, split, list, named, open), found a list"],
  ["version: '1'", '1:10: expected the number 1, found the text "1"; write it without quotes'],
  ["version: 2", "1:10: expected the number 1, found the number 2"],
  ["name: a", '1:1: "version" is missing; add it: the number 1'],
  ["verison: 1", '1:1: unknown key "verison"; did you mean "version"?'],
  ["version: 1\nother: 1", '2:1: unknown key "other"; the keys here are version, name, split, list, named, open'],
  ["version: 1\nname: 7", '2:7: expected a text, found the number 7; put it in quotes: "7"'],
  ["version: 1\nname:", "2:6: expected a text, found nothing; write a value after the colon, or remove the key"],
  ["version: 1\nlist: npm test", '2:7: expected a list, found the text "npm test"; put it in a list: ["npm test"]'],
  [
    "version: 1\nsplit: fils",
    '2:8: expected "none" or "files", or a mapping (by, most), found the text "fils"; did you mean "files"?',
  ],
  [
    "version: 1\nsplit: {by: fil, most: 0, extra: 1}",
    '2:13: expected "none" or "files", found the text "fil"; did you mean "files"?',
    "2:24: expected at least 1, found the number 0",
    '2:27: unknown key "extra"; the keys here are by, most',
  ],
  ["version: 1\nsplit: {by: files, most: 1.5}", "2:26: expected a whole number, found the number 1.5"],
  [
    "version: 1\nlist: [1, {rn: x}, {run: 3}, [a]]",
    '2:8: expected a text, or a mapping (run, name), found the number 1; put it in quotes: "1"',
    '2:12: unknown key "rn"; did you mean "run"?',
    '2:26: expected a text, found the number 3; put it in quotes: "3"',
    "2:30: expected a text, or a mapping (run, name), found a list",
  ],
  ["version: 1\nversion: 1", '2:1: the key "version" is here twice; remove one of them'],
  ["version: 1\n7: a", '2:1: a key must be a text; put it in quotes: "7"'],
  ["version: 1\n? [a]\n: b", "2:3: a key must be a text, not a list, mapping or alias; put it in quotes"],
  ["version: 1\n__proto__: {a: b}", '2:1: the key "__proto__" is not allowed; use another name'],
  [
    "version: 1\n<<: {name: a}",
    '2:1: merge keys ("<<") are not part of YAML 1.2; write the keys out, or use an alias as a value',
  ],
  [
    "version: 1\nname: !js x",
    "2:7: unresolved tag: !js; tags are not read; put the value in quotes if it starts with !",
  ],
  [
    "version: 1\nopen: !!binary aGk=",
    '2:16: the tag "tag:yaml.org,2002:binary" is not part of the YAML 1.2 core; leave it out',
  ],
  [
    "version: 1\nlist: [*.js]",
    '2:8: "*.js" refers to an anchor that is not defined above; put it in quotes if it is a glob',
  ],
  [
    "version: 1\nopen: &a [*a]",
    '2:11: "*a" refers to an anchor that is not defined above; put it in quotes if it is a glob',
  ],
  ["version: 1\nlist:\n\t- x", "3:1: tabs are not allowed as indentation; indent with spaces"],
  [
    "version: 1\nname: a: b",
    "2:7: nested mappings are not allowed in compact mappings; put the value in quotes if it holds a colon and a space",
  ],
  ["version: 1\nname: @x", "2:7: plain value cannot start with reserved character @; put the value in quotes"],
  ['version: 1\nname: "x', '2:9: missing closing "quote; add what is missing'],
  [
    "version: 1\n---\nversion: 1",
    "3:1: a second document starts here (after `---`), and one was expected; put each in a file of its own",
  ],
  ["%YAML 1.1\n---\nversion: 1", "1:1: only YAML 1.2 is read; remove the %YAML line"],
  ["version: 1\nname: \0", "2:7: found a NUL: this is not a text file; save the file as plain UTF-8 text"],
  [
    "version: 1\nname: \u001b[31m",
    "2:7: found the character U+001B, which YAML does not allow; save the file as plain UTF-8 text",
  ],
  ['version: "\\e[31mred\\u202e"', '1:10: expected the number 1, found the text "\\u001b[31mred\\u202e"'],
];

describe("a mistake", () => {
  it.each(mistakes)("in %j is named with place, reason and remedy", (text, ...lines) => {
    expect(linesOf(text)).toEqual(lines.map((line) => `f.yaml:${line}`));
  });

  it("is one of at most twenty that are listed, and it is said that there are more", () => {
    const lines = linesOf(`version: 1\nlist:\n${"  - [x]\n".repeat(30)}`);
    expect(lines).toHaveLength(21);
    expect(lines[20]).toBe("... and more; correct these first");
  });

  it("carries the caller's code and remedy", () => {
    expect(() => readDocument("a: 1", { ...options, code: "script", remedy: "see there" })).toThrow(
      expect.objectContaining({ code: "script", remedy: "see there" }),
    );
  });
});

const million = 990_000;
const repeated = ["[", "{a: ", "- ", "!a ", "---\n", "%a\n", "]", "- a\n"];

describe("a bomb", () => {
  it.each(repeated)("made of nothing but %j is refused with a place", (unit) => {
    expect(linesOf(unit.repeat(million / unit.length))[0]).toMatch(/^f\.yaml:\d+:\d+: /);
  });

  it("of aliases is refused without being expanded", () => {
    const levels = Array.from(
      { length: 40 },
      (_, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(",")}]`,
    );
    const text = `version: 1\nopen:\n  a0: &a0 x\n${levels.map((line) => `  ${line}\n`).join("")}`;
    expect(linesOf(text)).toEqual([
      expect.stringMatching(/^f\.yaml:\d+:\d+: aliases expand to more than 500000 values; write fewer/),
    ]);
  });

  it("of keys is refused without comparing each with each", () => {
    const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1`).join("\n");
    expect(linesOf(keys)).toHaveLength(21);
  });

  it("of ten megabytes is refused by its size", () => {
    expect(linesOf("a: b\n".repeat(2_000_000))).toEqual([
      "f.yaml:1:1: the file has 10 MB and at most 1 MB are read; split it, or check that it is the right file",
    ]);
  });
});

describe("any text", () => {
  it("is read or refused with a place, and nothing else ever happens", () => {
    const shard = fc.constantFrom(
      "version: 1\n",
      "name: ",
      "list:\n",
      "  - ",
      "{",
      "}",
      "[",
      "]",
      "*a",
      "&a ",
      "!t ",
      "'",
      '"',
      ": ",
      "? ",
      "|",
      ">",
      "#",
      "\t",
      "\n",
      "%",
      "---\n",
      "...",
      "x-a",
      "~",
      "<<: *a",
      "\\",
      "🦋",
    );
    const text = fc
      .array(fc.oneof(shard, fc.string({ maxLength: 4 })), { maxLength: 30 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (written) => {
        try {
          readDocument(written, options);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
          for (const line of (thrown as Fault).message.split("\n").slice(0, 20))
            expect(line).toMatch(/^f\.yaml:\d+:\d+: \S/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("gives back any value that was written into it as JSON", () => {
    const key = fc
      .string({ unit: "grapheme" })
      .filter((name) => name !== "__proto__" && name !== "<<" && !name.startsWith("x-"));
    const { value: anything } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.string({ unit: "grapheme" }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(anything, (value) => {
        const text = JSON.stringify({ version: 1, open: value });
        fc.pre(text.length < 900 && !/[\uFFFE\uFFFF\x7F-\x9F]/.test(text));
        expect(readDocument(text, options).value.open).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 300 },
    );
  });
});
