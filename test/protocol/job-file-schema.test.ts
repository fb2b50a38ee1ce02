import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readDocument } from "../../src/document/read-document.ts";
import { readValue } from "../../src/document/read-value.ts";
import { jobBounds } from "../../src/job/job-source.ts";
import { Fault } from "../../src/protocol/failure.ts";
import { jobFile } from "../../src/protocol/job-file.ts";
import { jobFileSchema } from "../../src/protocol/job-file-schema.ts";
import { jobs } from "./job-files.ts";

const root = join(import.meta.dirname, "../..");
const schema = jobFileSchema();
const accepts = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema);

describe("the JSON Schema of the job file", () => {
  it("is the one that ships: `npx vitest run test/protocol/job-file-schema.test.ts --update` writes it anew", async () => {
    await expect(laidOut(schema)).toMatchFileSnapshot(join(root, "docs/job-file.schema.json"));
  });

  it("describes every key, and gives a default or says what holds without one", () => {
    const keys = [...propertiesIn(schema)];
    expect(keys.length).toBeGreaterThan(80);
    for (const { name, property, isRequired } of keys) {
      expect(property.description, name).toMatch(/\S/);
      if (isRequired) expect(property.description, name).toMatch(/; required$/);
      else if (!("default" in property)) expect(property.description, name).toMatch(/; default: \S/);
    }
  });

  it("is described key by key in docs/job-file.md", () => {
    const page = readFileSync(join(root, "docs/job-file.md"), "utf8");
    for (const { name } of propertiesIn(schema)) expect(page, name).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it("takes every example that ships", () => {
    const folder = join(root, "examples");
    for (const file of readdirSync(folder)) {
      if (!file.endsWith(".yaml") || file.startsWith("sheaf.")) continue;
      const text = readFileSync(join(folder, file), "utf8");
      const { value } = readDocument(text, { file, schema: z.unknown(), code: "job_file" });
      expect(accepts(value), `${file}: ${JSON.stringify(accepts.errors)}`).toBe(true);
    }
  });

  it("refuses a misspelt key, a wrong kind of value, and a key that is not built yet", () => {
    const each = [{ codemod: "no-var" }];
    for (const more of [
      { chekcs: [] },
      { checks: "npm test" },
      { merge: {} },
      { limits: { time: 40 } },
      { version: 2 },
    ]) {
      expect(accepts({ version: 1, each, ...more }), JSON.stringify(more)).toBe(false);
    }
  });

  it("takes whatever reading the file takes", () => {
    fc.assert(
      fc.property(jobs, (job) => {
        expect(isRead(job)).toBe(true);
        expect(accepts(job), JSON.stringify(accepts.errors)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** As the formatter lays JSON out: a list of plain values in one line, as long as that is. */
function laidOut(value: unknown): string {
  const oneLine = (whole: string, before: string, items: string) => {
    const line = `${before}[${items.trim().replace(/\s*\n\s*/g, " ")}]`;
    return line.length <= 119 ? line : whole;
  };
  return `${JSON.stringify(value, null, 2).replace(/^( *"[^\n]*?": )\[([^[\]{}]*?)\]/gm, oneLine)}\n`;
}

function isRead(job: unknown): boolean {
  try {
    readValue(job, { root: "job", schema: jobFile, code: "job_file", bounds: jobBounds });
    return true;
  } catch (thrown) {
    if (thrown instanceof Fault) throw new Error(thrown.message, { cause: thrown });
    throw thrown;
  }
}

interface Property {
  name: string;
  property: Record<string, unknown>;
  isRequired: boolean;
}

function* propertiesIn(value: unknown): Generator<Property> {
  if (typeof value !== "object" || value === null) return;
  const { properties, required = [] } = value as { properties?: Record<string, unknown>; required?: string[] };
  for (const [name, property] of Object.entries(properties ?? {})) {
    yield { name, property: property as Record<string, unknown>, isRequired: required.includes(name) };
  }
  for (const inner of Object.values(value)) yield* propertiesIn(inner);
}
