import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openServed, type Served } from "./served.ts";

/** What our own document says of one address and method. */
interface Operation {
  method: string;
  path: string;
  isOpen: boolean;
  parameters: { name: string; in: string; schema: object }[];
  bodyTypes: string[];
  bodySchema: object | undefined;
  answers: Record<string, { content?: Record<string, { schema: object }> }>;
}

let served: Served;
let text: string;
let operations: Operation[];
let job: { id: string; handle: string };
let run: string;
const ajv = new Ajv2020({ strict: false, validateFormats: false });

beforeAll(async () => {
  served = await openServed();
  text = await (await served.ask("/openapi.json")).text();
  const document = JSON.parse(text);
  ajv.addSchema(document, "openapi");
  operations = Object.entries<Record<string, never>>(document.paths).flatMap(([path, item]) =>
    Object.entries<Record<string, never>>(item).map(([method, said]) => operationOf(method, path, said)),
  );
  job = await served.submit("write");
  await (await served.ask(`/v1/jobs/${job.id}/events`)).text();
  const [task] = await served.coordinator.tasks((await served.coordinator.job(job.id))?.id ?? ("" as never));
  expect(task?.landed).toBe(true);
  run = job.id;
});
afterAll(() => served[Symbol.asyncDispose]());

function operationOf(method: string, path: string, said: Record<string, unknown>): Operation {
  const {
    parameters = [],
    requestBody,
    responses,
    security,
  } = said as {
    parameters?: Operation["parameters"];
    requestBody?: { content: Record<string, { schema: object }> };
    responses: Operation["answers"];
    security?: unknown[];
  };
  const content = requestBody?.content ?? {};
  return {
    method: method.toUpperCase(),
    path,
    isOpen: security?.length === 0,
    parameters,
    bodyTypes: Object.keys(content),
    bodySchema: content["application/json"]?.schema,
    answers: responses,
  };
}

describe("the OpenAPI document", () => {
  it("has nothing that a public linter would say", async () => {
    const config = await createConfig({ extends: ["recommended-strict"] });
    const problems = await lintFromString({ source: text, absoluteRef: "/openapi.json", config });
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
  });

  it("is what /docs shows, whole and without anything to load", async () => {
    const answer = await fetch(`${served.url}/docs`);
    const page = await answer.text();
    for (const { path } of operations) expect(page).toContain(path);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|src=/i);
    expect(page).not.toMatch(/undefined|\[object/);
    expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    const ids = Array.from(page.matchAll(/ id="([^"]+)"/g), ([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });
});

/** What nobody in their right mind would send, and what somebody might. */
const odd = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "..",
    "../../etc/passwd",
    "%2e%2e%2f",
    "\0",
    "last",
    "null",
    "-1",
    "0",
    "1e9",
    "🦉",
    "a".repeat(3_000),
  ),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "' or 1=1 --",
    "$" + "{{ inputs.x }}",
    "$(id)",
    "\r\nX-Injected: 1",
    "[object Object]",
  ),
);

function pathOf({ path }: Operation): fc.Arbitrary<string> {
  const known = path.startsWith("/v1/runs") ? fc.constant(run) : fc.constantFrom(job.id, job.handle, "last");
  const own = path.startsWith("/v1/bundles") ? fc.constant("0".repeat(64)) : known;
  return fc.oneof({ weight: 2, arbitrary: own }, { weight: 1, arbitrary: odd }).map((id) => {
    // What fetch would take out of an address before it is sent is sent as it is.
    return path.replace(/\{\w+\}/, () => encodeURIComponent(id.toWellFormed()).replaceAll(".", "%2E"));
  });
}

function queryOf({ parameters }: Operation): fc.Arbitrary<string> {
  const names = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  const value = fc.oneof(fc.constantFrom("1", "5", ""), odd);
  const pairs = fc.array(fc.tuple(fc.constantFrom("unknown", ...names), value), { maxLength: 3 });
  return fc.oneof(
    fc.constant(""),
    pairs.map(
      (list) => `?${list.map(([name, given]) => `${name}=${encodeURIComponent(given.toWellFormed())}`).join("&")}`,
    ),
  );
}

const repository = fc.oneof(
  fc.record({ path: fc.string({ minLength: 1 }) }),
  fc.record({ url: fc.string({ minLength: 1 }) }),
  fc.record({ bundle: fc.constant("0".repeat(64)) }),
);
const json = fc
  .oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.record({ job: fc.constant({}), repository }),
    fc.record(
      {
        job: fc.oneof(fc.constant({}), fc.jsonValue()),
        name: fc.oneof(fc.constant("x"), fc.jsonValue({ maxDepth: 0 })),
        files: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
        inputs: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
        repository: fc.oneof(
          fc.record({ path: fc.string() }),
          fc.record({ url: fc.string() }),
          fc.record({ bundle: fc.constantFrom("0".repeat(64), "x") }),
          fc.jsonValue(),
        ),
        ref: fc.jsonValue({ maxDepth: 0 }),
        extra: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  )
  .map((value) => JSON.stringify(value));

function bodyOf({ bodyTypes }: Operation) {
  if (bodyTypes.length === 0) return fc.constant(undefined);
  const content = fc.oneof(
    json,
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "[".repeat(900), '{"a":', "\ufeff{}"),
  );
  const type = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...bodyTypes) },
    fc.constantFrom(
      "text/plain",
      "application/json; charset=latin1",
      "application/json;",
      "multipart/form-data",
      "x/y; z",
    ),
  );
  return fc.record({ content, type });
}

const noise = fc.record(
  {
    accept: fc.constantFrom(
      "*/*",
      "application/json",
      "text/html",
      "text/event-stream",
      "application/*;q=0",
      ";;,",
      "*",
    ),
    "last-event-id": fc.oneof(fc.constantFrom("0", "1", "-1", "x"), fc.nat().map(String)),
    "idempotency-key": fc.constantFrom("one", "", " ", "x".repeat(300)),
    traceparent: fc.constantFrom("00-x", `00-${"1".repeat(32)}-${"2".repeat(16)}-01`),
    authorization: fc.constantFrom("", "Bearer", "Bearer x", "Basic eDp5", `Bearer ${"x".repeat(2_000)}`),
    "content-encoding": fc.constantFrom("gzip", "identity"),
    "x-forwarded-host": fc.constant("evil.example"),
  },
  { requiredKeys: [] },
);
const headersOfCaller = fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: noise });

describe("every address, whatever is sent to it", () => {
  it("answers as the document says, and never that the server failed", async () => {
    const call = fc.constantFrom(...operations).chain((operation) =>
      fc.record({
        operation: fc.constant(operation),
        method: fc.oneof(
          { weight: 8, arbitrary: fc.constant(operation.method) },
          { weight: 1, arbitrary: fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS") },
        ),
        path: pathOf(operation),
        query: queryOf(operation),
        body: bodyOf(operation),
        headers: headersOfCaller,
      }),
    );
    await fc.assert(
      fc.asyncProperty(call, async ({ operation, path, query, ...rest }) => {
        const { method } = rest;
        const answer = await served.ask(path + query, initOf(rest));
        const said = await answer.text();
        expect(answer.status, said).toBeLessThan(500);
        if (method === "HEAD") expect(said).toBe("");
        else if (method === operation.method) expectAsSaid(operation, answer, said);
        else if (answer.status >= 400) expectProblem(answer, said);
      }),
      { numRuns: 400 },
    );
  }, 120_000);

  it("says of addresses that are none that there is nothing", async () => {
    const part = fc.oneof(odd, fc.constantFrom("v1", "jobs", "runs", "docs", "..", "."));
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 5 }),
        fc.constantFrom("GET", "POST", "DELETE"),
        async (parts, method) => {
          const path = parts.map((one) => encodeURIComponent(one.toWellFormed())).join("/");
          const answer = await served.ask(`/${path}`, { method });
          const said = await answer.text();
          expect(answer.status, said).toBeLessThan(500);
          if (answer.status >= 400) expectProblem(answer, said);
        },
      ),
      { numRuns: 100 },
    );
  });
});

interface Sent {
  method: string;
  headers: Record<string, string>;
  body: { content: string; type: string } | undefined;
}

function initOf({ method, headers, body }: Sent): RequestInit {
  if (body === undefined || ["GET", "HEAD"].includes(method)) return { method, headers };
  return { method, headers: { ...headers, "content-type": body.type }, body: body.content };
}

function expectAsSaid({ answers }: Operation, answer: Response, said: string): void {
  if (answer.status >= 400) expectProblem(answer, said);
  const documented = answers[String(answer.status)] ?? answers.default;
  const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
  const media = documented?.content?.[type];
  if (said === "") return;
  expect(media, `${answer.status} ${type} is not in the document`).toBeDefined();
  if (type.endsWith("json")) expectValid(media?.schema ?? {}, JSON.parse(said));
}

function expectProblem(answer: Response, said: string): void {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const problem = JSON.parse(said);
  expectValid({ $ref: "#/components/schemas/Problem" }, problem);
  expect(problem.status).toBe(answer.status);
}

function expectValid(schema: object, value: unknown): void {
  const whole = JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"openapi#/'));
  expect(ajv.validate(whole, value), ajv.errorsText()).toBe(true);
}
