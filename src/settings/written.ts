import { isAbsolute } from "node:path";
import { z } from "zod";
import { duration } from "../protocol/duration.ts";
import { readNetworkHost } from "../protocol/network-host.ts";
import { later } from "../protocol/not-built.ts";
import { writtenRules } from "../protocol/written-rule.ts";
import { fetchUrlProblem } from "./allowed-url.ts";
import { checked } from "./checked.ts";
import { budget, endpoint, models } from "./written-models.ts";

/** `sheaf.config.yaml` as people write it. Every key has its description and default here; docs and schema follow. */

function checkedPath() {
  return checked((text) =>
    isAbsolute(text) ? undefined : "this is no absolute path; write the folder from the root, such as /opt/tools",
  );
}

const accountName = checked((text) =>
  /^[a-z_][a-z0-9_-]{0,31}$/.test(text) && text !== "root"
    ? undefined
    : "this is no account that commands may run as; write its name or number, and never root",
);

const sandbox = z.strictObject({
  mode: z
    .enum(["bubblewrap", "external", "none"])
    .default("bubblewrap")
    .describe(
      "bubblewrap: Sheaf contains commands itself, on Linux. external: something outside Sheaf contains them, such as a container. none: no command runs",
    ),
  user: z
    .union([z.int().min(1).max(4_294_967_294), accountName])
    .optional()
    .describe("where Sheaf runs as root: the account, by name or number, that commands run as instead; default 62000"),
  read: z
    .array(checkedPath())
    .max(100)
    .default([])
    .describe("folders of tools that commands may read, besides the system's and those found on PATH"),
  memory_mb: z
    .union([z.literal(0), z.int().min(64).max(1_048_576)])
    .default(8_192)
    .describe("private memory of one process, in MiB; 0: no limit"),
  processes: z.int().min(8).max(100_000).default(1_024).describe("processes and threads of one command"),
  scratch_mb: z
    .int()
    .min(16)
    .max(1_048_576)
    .default(4_096)
    .describe("size of /tmp and of the home folder, each, in MiB"),
});

const permissions = z.strictObject({
  allow: writtenRules
    .optional()
    .describe("the most that any job may do: what no rule here covers is denied; default no limit"),
  ask: writtenRules.default([]).describe("what somebody is asked about, whatever a job allows"),
  deny: writtenRules.default([]).describe("what no job may do"),
});

const hostPattern = checked((text) => {
  const read = readNetworkHost(text);
  return "problem" in read ? read.problem : undefined;
});

const network = z.strictObject({
  hosts: z
    .array(hostPattern)
    .max(1_000)
    .optional()
    .describe("the hosts that jobs may ask for at most; default every public one"),
  private: z
    .array(hostPattern)
    .max(1_000)
    .default([])
    .describe("hosts that may have private addresses, such as a registry of your own; without a port: any"),
});

const secret = z
  .strictObject({
    env: z.string().min(1).optional().describe("the variable of Sheaf's own environment that holds it"),
    file: z.string().min(1).optional().describe("the file that holds it; relative to this one"),
  })
  .superRefine(({ env, file }, context) => {
    if ((env === undefined) === (file === undefined)) {
      context.addIssue({ code: "custom", message: "a secret comes from one place; write either env or file" });
    }
  });

const approvals = z.strictObject({
  timeout: duration.prefault("1h").describe("how long a question waits for its answer, before it is denied"),
});

const threads = z.strictObject({
  count: z.int().min(1).max(256).optional().describe("worker threads; default as many as cores"),
  heap_mb: z.int().min(64).max(65_536).optional().describe("JavaScript heap of one thread, in MiB; default Node's own"),
});

const hostName = checked((text) => {
  if (/^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.?)+$/i.test(text) || /^\[[0-9a-f:.]+\]$/i.test(text))
    return undefined;
  return "this is no host name; write it without scheme, port and path, such as sheaf.example.com";
});

const root = checked((text) => {
  return isAbsolute(text)
    ? undefined
    : "this is no absolute path; write the folder from the root, such as /srv/repositories";
});

const server = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe("the address to listen on; 0.0.0.0 or :: is every address"),
  port: z.int().min(0).max(65_535).default(7420).describe("the port to listen on; 0 takes a free one and says which"),
  hosts: z
    .array(hostName)
    .max(100)
    .default([])
    .describe("names that clients use for this server, besides loopback; requests under any other are refused"),
  roots: z
    .array(root)
    .max(1_000)
    .default([])
    .describe("folders whose repositories clients may name; without any, none"),
  urls: z
    .array(checked(fetchUrlProblem))
    .max(1_000)
    .default([])
    .describe("repositories that may be fetched: a URL, or one that ends in / for all below it"),
  body_mb: z.int().min(1).max(64).default(1).describe("largest body of a request, in MB"),
  bundle_mb: z.int().min(1).max(65_536).default(512).describe("largest git bundle that is taken, in MB"),
  connections: z.int().min(1).max(100_000).default(2_000).describe("open connections at one time"),
  request_timeout: duration.prefault("30s").describe("longest time to receive a request, bundles apart"),
});

/** Standard Webhooks: 24 to 64 random bytes, as base64 after `whsec_`. No message repeats what was written. */
export const secretForm =
  /^whsec_(?=[A-Za-z0-9+/]{32,86}={0,2}$)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
export const secretRemedy =
  'this is no signing secret; write whsec_ and 24 to 64 random bytes as base64: echo "whsec_$(openssl rand -base64 32)"';

const webhookUrl = checked((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    return "this is no address to post to; write one that begins with https://";
  if (url.username || url.password)
    return "this address holds a user name or password; requests are signed instead, with `secret`";
  return url.hash ? "this address has a fragment, which is never sent; leave out what begins with #" : undefined;
});

const webhook = z
  .strictObject({
    url: webhookUrl.describe("where to post; redirects are not followed"),
    secret: checked((text) => (secretForm.test(text) ? undefined : secretRemedy))
      .optional()
      .describe("signs each request: whsec_ and 24 to 64 bytes as base64"),
    secret_file: z.string().min(1).optional().describe("a file that holds the secret instead; relative to this one"),
    events: z
      .array(z.enum(["job.created", "job.finished"]))
      .min(1)
      .max(2)
      .default(["job.created", "job.finished"])
      .describe("what to tell it"),
  })
  .superRefine(({ secret, secret_file }, context) => {
    if ((secret === undefined) === (secret_file === undefined)) {
      context.addIssue({ code: "custom", message: "a webhook needs one secret; write either secret or secret_file" });
    }
  });

const log = z.strictObject({
  level: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("least level that `sheaf serve` writes to stderr"),
  format: z.enum(["json", "text"]).default("json").describe("json: one object a line. text: the same for people"),
});

export const writtenSettings = z.strictObject({
  sandbox: sandbox.prefault({}).describe("what contains the commands that a job runs"),
  threads: threads.prefault({}).describe("the threads that agents and recipes run in"),
  server: server.prefault({}).describe("what `sheaf serve` listens to, and what its clients may reach"),
  permissions: permissions.prefault({}).describe("rules above those of every job"),
  network: network.prefault({}).describe("where commands with a network may connect to"),
  secrets: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), secret)
    .default({})
    .describe("by the name of the variable that a command gets: what jobs may name in `secrets`"),
  approvals: approvals.prefault({}).describe("questions that rules lead to"),
  models,
  endpoint: endpoint.prefault({}).describe("who answers the requests of agents that think"),
  budget: budget.prefault({}).describe("the most that jobs may spend on models"),
  webhooks: z
    .array(webhook)
    .max(20)
    .default([])
    .describe("who is told of jobs, by the Standard Webhooks specification"),
  log: log.prefault({}).describe("what `sheaf serve` says of its work"),
  retention: later("nothing is deleted by itself; run sheaf gc --keep 30d now and then"),
});
export type WrittenSettings = z.infer<typeof writtenSettings>;
