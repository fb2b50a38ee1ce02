import { expect, test } from "vitest";
import { openSheaf, patience } from "../support/sheaf.ts";

// Written to stderr at the end: every module that was loaded, Node's own included.
const probe = `
import { registerHooks } from "node:module";
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
process.on("exit", () => console.error([...loaded, ...process.moduleLoadList].join("\\n")));
`;
const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(probe)}` };

test("the version is told without a verb, a database or a line of YAML", { timeout: patience }, async () => {
  await using sheaf = openSheaf();
  const { code, stdout, stderr } = await sheaf.call(["--version"], { env });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect(stderr).toContain("src/cli/main.ts");
  expect(stderr).not.toMatch(/src\/cli\/run\.ts|src\/session\/|src\/db\/|pglite|drizzle|node_modules\/yaml/);
});

test("a command that only looks loads no HTTP client, server, model, exporter or parser", {
  timeout: patience,
}, async () => {
  await using sheaf = openSheaf();
  const { code, stderr } = await sheaf.call(["list"], { env });
  expect(code).toBe(0);
  expect(stderr).toContain("node_modules/@electric-sql/pglite");
  expect(stderr).not.toMatch(/deps\/undici|src\/(remote|http|sandbox\/network)\//);
  expect(stderr).not.toMatch(
    /node_modules\/(yaml|hono|@hono|@anthropic-ai|@ast-grep|@modelcontextprotocol|pg|tap-parser|fast-xml-parser)\//,
  );
});
