import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Expression, parseTemplate, printTemplate, type Template } from "../../src/protocol/template.ts";

/** Begins a template. Written in two parts so that it is not taken for one of ours. */
const opening = ["$", "{{"].join("");

describe("a template", () => {
  it.each([
    ["item.pth", 'there is no "item.pth"; write item.path or item.name or item.owner'],
    ["itm.path", 'there is no "itm"; the names are inputs.NAME, item.path, '],
    ["item", "item is no value; write item.path or item.name or item.owner"],
    ["item.path.name", '"." is one too many; write one value, or a function of it'],
    ["inputs", "inputs is no value; write inputs.NAME"],
    ["task.files task.id", '"task" is one too many; write one value, or a function of it'],
    ["", "it is empty; write a name such as inputs.NAME"],
    [".", '"." comes without a name before it; write inputs.NAME'],
    [
      "shell(item.path)",
      'there is no function "shell"; the functions are basename, default, dirname, join, json, lower, regex, upper',
    ],
    ["join(task.files)", "join takes 2 values, not 1; write join(task.files, ', ')"],
    ["lower(item.path, item.name)", "lower takes 1 value, not 2; write lower(item.name)"],
    ["lower(item.path", 'lower( is not closed; write ")" after its values'],
    ['join(task.files, ", ")', "texts in it stand in single quotes; write 'text'"],
    ["join(task.files, 'x)", "a text in it is not closed; write ' at its end, and '' for one inside it"],
    ["item.path + 1", '"+" means nothing in it; write a name such as task.files, or a function of it'],
    ["toString", 'there is no "toString"'],
    ["constructor(item.path)", 'there is no function "constructor"'],
    ["item.constructor", 'there is no "item.constructor"'],
    [`${"lower(".repeat(30)}item.path${")".repeat(30)}`, "functions more than 20 deep; write fewer"],
  ])("with %j in it is refused, with what to write", (inside, problem) => {
    expect(parseTemplate(`Do ${opening} ${inside} }}.`)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("that is not closed is refused, with the line of the text it stands in", () => {
    expect(parseTemplate(`a\nb\nc ${opening} item.path`)).toEqual({
      problem: `"${opening} item.path" in line 3 of the text: it is not closed; write "}}" at its end`,
    });
  });

  it("may hold any text in quotes, its own marks too", () => {
    const text = `${opening} '${opening}' }} and ${opening} 'it''s }} here' }}`;
    expect(parseTemplate(text)).toEqual({
      template: [
        { kind: "filled", expression: { kind: "text", value: opening } },
        { kind: "text", text: " and " },
        { kind: "filled", expression: { kind: "text", value: "it's }} here" } },
      ],
    });
  });

  it("is read in a time that follows its length, whatever is in it", () => {
    for (const piece of [opening, "'", `${opening} '`, `${opening} lower(`, "$", "}}", `${opening} item.path }}`]) {
      parseTemplate(piece.repeat(20_000));
      parseTemplate(`${opening} ${piece.repeat(20_000)}`);
    }
  });
});

const mark = fc.constantFrom(opening, "}}", "'", "$", "{", "{{", "a", " ", "\n", "item.path");
const anyText = fc.array(mark, { maxLength: 6 }).map((marks) => marks.join(""));
const name = fc.constantFrom<Expression>(
  { kind: "name", root: "inputs", key: "dry-run" },
  { kind: "name", root: "item", key: "path" },
  { kind: "name", root: "task", key: "files" },
);
const expression: fc.Arbitrary<Expression> = fc.letrec<{ any: Expression }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    anyText.map((value): Expression => ({ kind: "text", value })),
    name,
    tie("any").map((given): Expression => ({ kind: "call", name: "lower", given: [given] })),
    fc
      .tuple(tie("any"), tie("any"))
      .map(([one, other]): Expression => ({ kind: "call", name: "join", given: [one, other] })),
  ),
})).any;
const template = fc.array(
  fc.oneof(
    anyText.map((text) => ({ kind: "text" as const, text })),
    expression.map((expression) => ({ kind: "filled" as const, expression })),
  ),
  { maxLength: 5 },
);

describe("templates in general", () => {
  it("are read back as what was printed: a text in them never becomes a template", () => {
    fc.assert(
      fc.property(template, (parts) => {
        const read = parseTemplate(printTemplate(parts));
        expect(read).toHaveProperty("template");
        if ("template" in read) expect(merged(read.template)).toEqual(merged(parts));
      }),
      { numRuns: 500 },
    );
  });

  it("are read or refused with words, and nothing else happens", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string()), (text) => {
        const read = parseTemplate(`${opening}${text}`);
        if ("problem" in read) expect(read.problem).toMatch(/: \S/);
        else expect(read.template.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

/** Texts side by side are one, and a text in quotes is one too. */
function merged(parts: Template): unknown[] {
  const all: unknown[] = [];
  let text = "";
  for (const part of parts) {
    if (part.kind === "text") text += part.text;
    else if (part.expression.kind === "text") text += part.expression.value;
    else {
      all.push(text, part.expression);
      text = "";
    }
  }
  return [...all, text];
}
