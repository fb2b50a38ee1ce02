import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { writtenSettings } from "../src/settings/written.ts";
import { readSettings } from "../src/settings.ts";

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "sheaf-settings-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const write = (text: string) => writeFile(join(home, "sheaf.config.yaml"), text);
type More = { file?: string; repository?: string; variable?: (name: string) => string | undefined };
const read = (more: More = {}) => readSettings({ home, cwd: home, ...more });

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const defaults = {
  sandbox: {
    mode: "bubblewrap",
    read: [],
    limits: { memoryBytes: 8 * 2 ** 30, processes: 1_024, scratchBytes: 4 * 2 ** 30 },
  },
  ceiling: { permissions: { ask: [], deny: [] }, network: { private: [] }, secrets: {}, approvalMs: 3_600_000 },
  models: {
    cards: {},
    endpoint: { capabilities: {}, firstChunkMs: 180_000, stallMs: 60_000 },
    budget: { day: {}, job: {} },
  },
  threads: {},
  server: {
    host: "127.0.0.1",
    port: 7420,
    hosts: [],
    roots: [],
    urls: [],
    maxBodyBytes: 1_000_000,
    maxBundleBytes: 512_000_000,
    maxConnections: 2_000,
    requestTimeoutMs: 30_000,
  },
  webhooks: [],
  log: { level: "info", format: "json" },
};

describe("the operator's settings", () => {
  it("have commands contained where nobody wrote any, or only comments", async () => {
    expect(await read()).toEqual(defaults);
    await write("# sandbox: { mode: external }\n\n");
    expect(await read()).toMatchObject({ sandbox: { mode: "bubblewrap" }, threads: {} });
  });

  it("come from the data folder, or from the file that was named", async () => {
    await write("sandbox: { mode: external }\nthreads: { count: 2, heap_mb: 512 }\n");
    const file = join(home, "sheaf.config.yaml");
    expect(await read()).toEqual({
      ...defaults,
      sandbox: { ...defaults.sandbox, mode: "external" },
      threads: { count: 2, heapMb: 512 },
      file,
    });
    await writeFile(join(home, "other.yaml"), "threads: { count: 3 }");
    expect(await read({ file: "other.yaml" })).toMatchObject({
      sandbox: { mode: "bubblewrap" },
      threads: { count: 3 },
    });
  });

  it("set no limit of memory where 0 is written", async () => {
    await write("sandbox: { memory_mb: 0 }");
    expect((await read()).sandbox.limits.memoryBytes).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    [
      "sandbox: { mode: externl }",
      '1:18: expected "bubblewrap" or "external" or "none", found the text "externl"; did you mean "external"?',
    ],
    ["sandbox: { user: root }", "1:18: this is no account that commands may run as; write its name or number"],
    ["sandbox: { memory_mb: 32 }", "1:23: "],
    ["sandbox: { user: 0 }", "1:18: expected at least 1, found the number 0"],
    [
      "sandbox: { read: [tools] }",
      "1:19: this is no absolute path; write the folder from the root, such as /opt/tools",
    ],
    ["permissions: { deny: ['Edit(src'] }", "1:23: the rule"],
    ["permissions: { deny: [{ rule: 'Bash(rm:*)', match: [ls] }] }", '1:23: the rule "Bash(rm:*)" is refused'],
    ["permissions: { allow: ['Bash(sudo:*)'] }", '1:24: the rule "Bash(sudo:*)" is refused'],
    ["network: { hosts: ['https://x.example'] }", "1:20: this is no host"],
    ["secrets: { TOKEN: {} }", "1:19: a secret comes from one place; write either env or file"],
    ["secrets: { TOKEN: { env: SHEAF_NONE } }", "1:19: there is no secret in SHEAF_NONE"],
    ["secrets: { 'a b': { env: HOME } }", "1:12"],
    [
      "sandbox: external",
      '1:10: expected a mapping (mode, user, read, memory_mb, processes, scratch_mb), found the text "external"',
    ],
    ["threads: { count: 0 }", "1:19: expected at least 1, found the number 0"],
    ["server: { port: 70000 }", "1:17: expected at most 65535, found the number 70000"],
    [
      "server: { roots: [repositories] }",
      "1:19: this is no absolute path; write the folder from the root, such as /srv/repositories",
    ],
    [
      "server: { hosts: ['https://x.example'] }",
      "1:19: this is no host name; write it without scheme, port and path, such as sheaf.example.com",
    ],
    [
      "server: { urls: ['https://github.com/acme/*'] }",
      "1:18: this address holds a wildcard; write the part that is fixed, ending in / for all below it",
    ],
    [
      "server: { urls: ['file:///srv/'] }",
      "1:18: this is no address to fetch from; write https://, ssh:// or git@host:path",
    ],
    [
      "server: { request_timeout: 30 }",
      "1:28: the number 30 has no unit; write it with a unit, such as 90s, 40m or 1h30m",
    ],
    [
      "log: { level: verbose }",
      '1:15: expected "debug" or "info" or "warn" or "error" or "silent", found the text "verbose"',
    ],
    [
      "retention: { jobs: 30d }",
      '1:1: "retention" is not built yet: nothing is deleted by itself; run sheaf gc --keep 30d now and then',
    ],
    [
      "webhooks: [{ url: 'https://x.example/' }]",
      "1:12: a webhook needs one secret; write either secret or secret_file",
    ],
    [
      "webhooks: [{ url: 'https://me:sesame@x.example/', secret_file: s }]",
      "1:19: this address holds a user name or password; requests are signed instead, with `secret`",
    ],
    [
      "webhooks: [{ url: 'https://x.example/', secret: sesame }]",
      '1:49: this is no signing secret; write whsec_ and 24 to 64 random bytes as base64: echo "whsec_$(openssl rand -base64 32)"',
    ],
    ["thread: {}", '1:1: unknown key "thread"; did you mean "threads"?'],
    [
      "a: 1\n---\nb: 1",
      "3:1: a second document starts here (after `---`), and one was expected; put each in a file of its own",
    ],
  ])("as in %j are refused like a job file, with the place", async (text, message) => {
    await write(text);
    await expect(read()).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringContaining(`${join(home, "sheaf.config.yaml")}:${message}`),
    });
  });

  it("hold an operator's ceiling: rules, hosts, secrets by their names", async () => {
    await writeFile(join(home, "npm.secret"), "sesame\n");
    await write(
      [
        "permissions: { allow: [Read], ask: ['Edit(src/**)'], deny: ['Edit(etc/**)'] }",
        "network: { hosts: ['*.example.com:8443'], private: [npm.corp] }",
        "secrets: { NPM_TOKEN: { file: npm.secret }, OTHER: { env: HELD } }",
        "approvals: { timeout: 5m }",
      ].join("\n"),
    );
    const variable = (name: string) => (name === "HELD" ? "tulip" : undefined);
    expect((await readSettings({ home, cwd: home, variable })).ceiling).toMatchObject({
      permissions: { allow: [{ id: "Read" }], ask: [{ id: "Edit(src/**)" }], deny: [{ id: "Edit(etc/**)" }] },
      network: { hosts: ["*.example.com:8443"], private: ["npm.corp"] },
      secrets: { NPM_TOKEN: "sesame", OTHER: "tulip" },
      approvalMs: 300_000,
    });
  });

  it("hold a secret themselves, or name the file that does, beside them", async () => {
    await writeFile(join(home, "hook.secret"), `${secret}\n`);
    await write(
      `webhooks: [{ url: 'https://a.example/x', secret: ${secret} }, { url: 'http://b/', secret_file: hook.secret, events: [job.finished] }]`,
    );
    expect((await read()).webhooks).toEqual([
      { url: "https://a.example/x", secret, events: ["job.created", "job.finished"] },
      { url: "http://b/", secret, events: ["job.finished"] },
    ]);
    await writeFile(join(home, "hook.secret"), "sesame");
    const refused = await read().catch((thrown: Error) => thrown);
    expect(refused).toMatchObject({
      code: "configuration",
      message: expect.stringContaining("hook.secret: this is no signing secret"),
    });
    expect(String(refused)).not.toContain("sesame");
  });

  it("say what models cost in USD per million tokens, who answers, and how much may be spent", async () => {
    await writeFile(join(home, "key"), "sk-tulip\n");
    await write(`models:
  own: { context: 32000, output: 4000, price: { input: 3, output: 15, cache_read: 0.3 } }
  constructor: { output: 8000 }
endpoint: { url: "http://gpu.lan:8000/v1", key: { file: key }, requests_per_minute: 50, stall: 20s, capabilities: { cache: false } }
budget: { usd_per_day: 1.5, tokens_per_job: 1000 }
`);
    const { models } = await read();
    expect(models.cards).toEqual({
      own: {
        context_tokens: 32_000,
        output_tokens: 4_000,
        price: { input: 3_000, output: 15_000, cache_read: 300, cache_write_5m: 3_000, cache_write_1h: 3_000 },
      },
      constructor: { output_tokens: 8_000 },
    });
    expect(models.cards.toString).toBeUndefined();
    expect(models.endpoint).toEqual({
      url: "http://gpu.lan:8000/v1",
      key: "sk-tulip",
      requestsPerMinute: 50,
      capabilities: { cache: false },
      firstChunkMs: 180_000,
      stallMs: 20_000,
    });
    expect(models.budget).toEqual({ day: { nano_usd: 1_500_000_000 }, job: { tokens: 1_000 } });
  });

  it.each([
    ["endpoint: { url: gpu.lan }", /no address of a server/],
    ["endpoint: { url: 'https://me:pw@gpu.lan' }", /user name or password/],
    ["endpoint: { url: 'https://gpu.lan/?key=1' }", /query or a fragment/],
    ["endpoint: { key: {} }", /write either env or file/],
    ["endpoint: { key: { env: NOT_SET } }", /endpoint\.key|NOT_SET/],
    ["models: { own: { price: { input: 3 } } }", /output/],
    ["budget: { usd_per_day: -1 }", /at least 0/],
  ])("refuse %s", async (text, message) => {
    await write(text);
    await expect(read({ variable: () => undefined })).rejects.toThrow(message);
  });

  it("have a schema that is shipped, and an example with every key of it at its default", async () => {
    const schema = z.toJSONSchema(writtenSettings, {
      io: "input",
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) => {
        if (zodSchema._zod.def.type !== "object" || !jsonSchema.properties) return;
        delete jsonSchema.properties.retention;
        jsonSchema.patternProperties = { "^x-": {} };
      },
    });
    const laidOut = JSON.stringify({ title: "sheaf.config.yaml", ...schema }, null, 2);
    const onOneLine = (_: string, items: string) => `[${items.replace(/\s*\n\s*/g, " ")}]`;
    const shipped = `${laidOut.replace(/\[\s+([^[\]{}]*?)\s+\]/g, onOneLine)}\n`;
    await expect(shipped).toMatchFileSnapshot("../docs/sheaf.config.schema.json");
    const example = await readFile(join(import.meta.dirname, "../examples/sheaf.config.yaml"), "utf8");
    const uncommented = example.replace(/^# ?(?=[a-z_]+:| {2})/gm, "");
    const written: unknown = parse(uncommented);
    expect(new Ajv2020({ strict: true }).compile(schema)(written)).toBe(true);
    await write(uncommented.replace(/secret_file: .*/, `secret: ${secret}`));
    const { sandbox, server, log } = defaults;
    const variable = () => "its key";
    expect(await read({ variable })).toMatchObject({ sandbox, server, log, webhooks: [{ secret }] });
    expect(leaves(written)).toEqual(leaves(schema));
    const page = await readFile(join(import.meta.dirname, "../docs/configuration.md"), "utf8");
    for (const key of leaves(schema)) expect(page).toContain(`| \`${key.replace("webhooks.", "webhooks[].")}\` |`);
  });

  it("that were named and are not there are an error", async () => {
    await expect(read({ file: "none.yaml" })).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringContaining("no such file"),
    });
  });

  it("are never read from the repository being worked on, by any name it has", async () => {
    const repository = join(home, "repo");
    await mkdir(join(repository, "..data"), { recursive: true });
    for (const file of ["repo/sheaf.config.yaml", "repo/..data/c.yaml"]) {
      await writeFile(join(home, file), "sandbox: { mode: external }");
      await expect(read({ file, repository })).rejects.toMatchObject({ code: "configuration" });
    }
    await symlink("repo/sheaf.config.yaml", join(home, "sheaf.config.yaml"));
    await expect(read({ repository })).rejects.toThrow("settings are not read from the repository being worked on");
    await symlink("repo", join(home, "alias"));
    await expect(read({ file: "repo/sheaf.config.yaml", repository: join(home, "alias") })).rejects.toMatchObject({
      code: "configuration",
    });
    expect(await read({ file: "repo/sheaf.config.yaml" })).toMatchObject({ sandbox: { mode: "external" } });
  });
});

/** The keys of a document, or those that a schema describes, as sorted dotted paths; two of them are one of two forms. */
function leaves(value: unknown, path = ""): string[] {
  const found = keysOf(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
  const all = found.length > 0 ? found : [path];
  return all.filter((each) => each !== "webhooks.secret" && each !== "endpoint.key.file").sort();
}

function keysOf(value: unknown): [string, unknown][] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return keysOf(value[0]);
  if ("properties" in value) return keysOf(value.properties);
  if ("items" in value) return keysOf(value.items);
  return ["type", "$schema", "enum", "anyOf", "$ref"].some((key) => key in value) ? [] : Object.entries(value);
}
