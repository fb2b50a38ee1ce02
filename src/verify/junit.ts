import { XMLParser, XMLValidator } from "fast-xml-parser";
import { z } from "zod";
import type { Reading } from "./report.ts";
import { reportPath, withoutRoot } from "./report-path.ts";
import { openTally, type Tally } from "./tally.ts";

/**
 * JUnit XML as Surefire, pytest, jest-junit and a hundred others write it. A document type, and with it every entity of
 * its own, is refused; a document that stops in the middle is no report.
 */
export function parseJunit(text: string, root: string): Reading {
  const document = text.slice(Math.max(0, text.search(/<\?xml|<testsuites?[\s/>]/)));
  const prolog = text.slice(0, Math.max(0, text.indexOf("<testsuite")));
  if (/<!(DOCTYPE|ENTITY)/i.test(prolog)) {
    return { unreadable: "it has a document type, which no test report needs" };
  }
  const read = readXml(document);
  if ("unreadable" in read) return read;
  const tally = openTally("test");
  const declared = addSuite(read, { name: "", root, tally });
  const report = tally.report();
  const named = [...report.failing.values()].reduce((sum, { count }) => sum + count, 0);
  return declared > 0 && named === 0
    ? { ...report, incomplete: `it counts ${declared} failures and names none` }
    : report;
}

const outcome = z.unknown().optional();
const attributes = z.record(z.string(), z.string()).default({});
const testCase = z.object({
  "@": attributes,
  failure: outcome,
  error: outcome,
  skipped: outcome,
});
type Suite = {
  "@": Record<string, string>;
  failure?: unknown;
  error?: unknown;
  testsuite?: Suite[] | undefined;
  testcase?: z.infer<typeof testCase>[] | undefined;
};
const suite: z.ZodType<Suite, unknown> = z.object({
  "@": attributes,
  failure: outcome,
  error: outcome,
  testsuite: z.array(z.lazy(() => suite)).optional(),
  testcase: z.array(testCase).optional(),
});
/** An empty `<testsuites/>` is an empty text. */
const top = z.object({ testsuites: z.union([suite, z.literal("")]).optional(), testsuite: z.array(suite).optional() });

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  attributesGroupName: "@",
  // Bounds on their number would refuse a long honest report; what is left of them is decoded here, once.
  processEntities: false,
  parseTagValue: false,
  removeNSPrefix: true,
  alwaysCreateTextNode: true,
  isArray: (name, _path, _isLeaf, isAttribute) => !isAttribute && (name === "testsuite" || name === "testcase"),
});

function readXml(document: string): Suite | { unreadable: string } {
  try {
    const valid = XMLValidator.validate(document);
    if (valid !== true) return { unreadable: `it is no whole XML document: ${valid.err.msg} (line ${valid.err.line})` };
    const read = top.safeParse(parser.parse(document));
    if (!read.success || (!read.data.testsuites && !read.data.testsuite)) {
      return { unreadable: "it is XML without testsuites" };
    }
    const { testsuites, testsuite } = read.data;
    return testsuites || { "@": {}, testsuite: testsuite ?? [] };
  } catch (cause) {
    return { unreadable: `it is XML that is refused: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

interface Place {
  name: string;
  root: string;
  tally: Tally;
}

/** How many failures the innermost suites declare. */
function addSuite(one: Suite, place: Place): number {
  const name = decode(one["@"].name ?? "") || place.name;
  for (const test of one.testcase ?? []) addCase(test, { ...place, name });
  const inner = (one.testsuite ?? []).map((each) => addSuite(each, { ...place, name }));
  if (one.failure !== undefined || one.error !== undefined) place.tally.failed(`${name || "a suite"} (as a whole)`);
  const own = Number(one["@"].failures ?? 0) + Number(one["@"].errors ?? 0);
  return Math.max(Number.isFinite(own) ? own : 0, ...inner, 0);
}

function addCase(test: z.infer<typeof testCase>, { name: suiteName, root, tally }: Place): void {
  const { name = "", classname = "", file = "", status = "", result = "" } = test["@"];
  const isSkipped = test.skipped !== undefined || /^(notrun|skipped|disabled|suppressed)$/i.test(result || status);
  const group = decode(classname) || (file ? reportPath(decode(file), root) : suiteName);
  const identity = withoutRoot([group, decode(name)].filter(Boolean).join(" > ") || "a test without a name", root);
  if (test.failure !== undefined || test.error !== undefined) tally.failed(identity);
  else if (!isSkipped) tally.passed(identity);
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(#\d+|#x[0-9a-f]+|amp|lt|gt|quot|apos);/gi, (whole, reference: string) => {
    if (!reference.startsWith("#")) return named[reference.toLowerCase()] ?? whole;
    const code = Number(reference.slice(1).replace(/^x/i, "0x"));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
