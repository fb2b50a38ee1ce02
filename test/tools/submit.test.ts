import { afterEach, expect, it } from "vitest";
import { z } from "zod";
import { claim } from "../../src/protocol/claim.ts";
import { submit } from "../../src/tools/submit.ts";
import { openRun, type Run } from "./open-run.ts";

let run: Run | undefined;
afterEach(() => run?.dispose());

const kindsOfClaims = z.object({ anyOf: z.array(z.looseObject({})) });
const typed = z.object({ oneOf: z.array(z.object({ properties: z.record(z.string(), z.looseObject({})) })) });

it("a model is shown every kind of claim, with every field of each", () => {
  const [, union] = kindsOfClaims.parse(z.toJSONSchema(claim)).anyOf;
  const kinds = typed.parse(union).oneOf.map(({ properties }) => properties);
  const shown = z
    .object({ properties: z.object({ claims: z.object({ items: z.object({ anyOf: z.array(z.looseObject({})) }) }) }) })
    .parse(submit.inputSchema).properties.claims.items.anyOf[0];
  const { properties } = z.object({ properties: z.record(z.string(), z.looseObject({})) }).parse(shown);
  expect(properties.kind).toMatchObject({ enum: kinds.map(({ kind }) => kind?.const) });
  expect(Object.keys(properties).sort()).toEqual([...new Set(kinds.flatMap((each) => Object.keys(each)))].sort());
  expect(JSON.stringify(submit.inputSchema).length).toBeLessThan(3_000);
});

it("takes claims as sentences and by kind, and says what one of them lacks", async () => {
  run = openRun();
  const claims = ["all is well", { kind: "command_run", command: "npm test", exit: 0, receipts: ["call_1"] }];
  expect((await run.call("submit", { summary: "done", claims })).submission).toEqual({ summary: "done", claims });
  const said = async (one: unknown) => (await run?.call("submit", { summary: "x", claims: [one] }))?.result.content;
  expect(await said({ kind: "changed" })).toMatch(/claims\.0\.path: .*expected string/);
  expect(await said({ kind: "fixed", what: 7 })).toMatch(/claims\.0\.what: .*expected string/);
  expect(await said({ kind: "guess" })).toMatch(/claims\.0\.kind: /);
  expect(await said(7)).toMatch(/invalid input for submit: claims\.0: /);
});
