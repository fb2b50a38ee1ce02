import { realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { readText } from "./document/read-text.ts";
import type { LogLevel } from "./log/log.ts";
import { Fault } from "./protocol/failure.ts";
import { type Ceiling, ceilingOf, type RuleReader, readKept, secretsOf } from "./settings/ceiling.ts";
import { type ModelSettings, modelSettingsOf } from "./settings/models.ts";
import { secretForm, secretRemedy, type WrittenSettings, writtenSettings } from "./settings/written.ts";

/**
 * What the operator of this machine decides, from `sheaf.config.yaml`. Never read from the repository being worked
 * on: whoever can change that must not be able to change this.
 */
export interface Settings {
  sandbox: SandboxSettings;
  ceiling: Ceiling;
  models: ModelSettings;
  threads: { count?: number; heapMb?: number };
  server: ServerSettings;
  webhooks: readonly WebhookTarget[];
  log: { level: LogLevel; format: "json" | "text" };
  /** The file they came from; absent when there is none and defaults hold. */
  file?: string;
}

export interface SandboxSettings {
  /** `external`: the operator says that commands are contained by something outside. `none`: no command can run. */
  mode: "bubblewrap" | "external" | "none";
  user?: string;
  read: readonly string[];
  limits: { memoryBytes: number; processes: number; scratchBytes: number };
}

export interface ServerSettings {
  host: string;
  /** 0: one that is free. */
  port: number;
  /** Names of this server besides loopback, without ports, in lower case. */
  hosts: readonly string[];
  /** Absolute folders as they were written; whether a path is really below one is for whoever opens it. */
  roots: readonly string[];
  /** Judged by `isAllowedUrl` (settings/allowed-url.ts). */
  urls: readonly string[];
  maxBodyBytes: number;
  maxBundleBytes: number;
  maxConnections: number;
  requestTimeoutMs: number;
}

export interface WebhookTarget {
  url: string;
  /** `whsec_...`; never shown. */
  secret: string;
  events: readonly ("job.created" | "job.finished")[];
}

const naming = { code: "configuration", remedy: "every key is described in docs/configuration.md" } as const;

/**
 * `file` is `--config`, relative to `cwd`; without it `sheaf.config.yaml` in `home` is read if it is there.
 * `repository` is the top level of the repository being worked on. Throws Fault `configuration`.
 */
export async function readSettings(options: {
  home: string;
  cwd: string;
  file?: string;
  repository?: string;
  /** A variable of the operator's environment. */
  variable?: (name: string) => string | undefined;
}): Promise<Settings> {
  const path =
    options.file === undefined ? join(options.home, "sheaf.config.yaml") : resolve(options.cwd, options.file);
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined && options.file === undefined) return defaults();
  if (real !== undefined && options.repository !== undefined) await refuseInside(real, options.repository, path);
  const text = await readText(path, { file: path, ...naming });
  // A file with nothing but comments says nothing: defaults hold.
  if (isOnlyComments(text)) return { ...defaults(), file: path };
  // What reads YAML is a sixth of the modules of a command that reads none.
  const { readDocument } = await import("./document/read-document.ts");
  const { value, place } = readDocument(text, { file: path, ...naming, schema: writtenSettings });
  const webhooks = await Promise.all(
    value.webhooks.map((written, index) =>
      webhookOf(written, place(["webhooks", index, "secret_file"]), dirname(path)),
    ),
  );
  const source = { place, folder: dirname(path), ...options };
  const secrets = await secretsOf(value.secrets, source);
  const { key } = value.endpoint;
  const modelKey = key && (await readKept(key, ["endpoint", "key"], source));
  return { ...settingsOf(value, { webhooks, secrets, modelKey, rule: await ruleIn(place, value) }), file: path };
}

/** What stands in other places than the file itself. */
interface Read {
  webhooks: WebhookTarget[];
  secrets: Ceiling["secrets"];
  modelKey?: string | undefined;
  rule: RuleReader;
}

const noRules: RuleReader = () => {
  throw new Fault("internal", "a rule stands where none was seen");
};
const nothingRead: Read = { webhooks: [], secrets: {}, rule: noRules };

/** What reads rules is loaded for those who write some: every start of a command would pay for it. */
async function ruleIn(
  place: (path: (string | number)[]) => string,
  { permissions: { allow = [], ask, deny } }: WrittenSettings,
): Promise<RuleReader> {
  if (allow.length + ask.length + deny.length === 0) return noRules;
  const { readRule } = await import("./permission/written-rule.ts");
  return (written, list, at) => {
    try {
      return readRule(written, list);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      const { message, remedy } = thrown;
      throw new Fault("configuration", `${place(at)}: ${message}`, { ...(remedy ? { remedy } : {}), cause: thrown });
    }
  };
}

/** Nothing to check, and once: the code that zod makes for checking fast would take 10 ms to make. */
function defaults(): Settings {
  return settingsOf(writtenSettings.parse({}, { jitless: true }), nothingRead);
}

function settingsOf(written: WrittenSettings, { webhooks, secrets, modelKey, rule }: Read): Settings {
  const { sandbox, threads, server, log } = written;
  return {
    sandbox: sandboxOf(sandbox),
    ceiling: ceilingOf(written, { secrets, rule }),
    models: modelSettingsOf(written, modelKey?.trim()),
    threads: {
      ...(threads.count === undefined ? {} : { count: threads.count }),
      ...(threads.heap_mb === undefined ? {} : { heapMb: threads.heap_mb }),
    },
    server: {
      host: server.host,
      port: server.port,
      hosts: server.hosts.map((host) => host.toLowerCase()),
      roots: server.roots,
      urls: server.urls,
      maxBodyBytes: server.body_mb * 1_000_000,
      maxBundleBytes: server.bundle_mb * 1_000_000,
      maxConnections: server.connections,
      requestTimeoutMs: server.request_timeout,
    },
    webhooks,
    log,
  };
}

function sandboxOf({
  mode,
  user,
  read,
  memory_mb,
  processes,
  scratch_mb,
}: WrittenSettings["sandbox"]): SandboxSettings {
  const memoryBytes = memory_mb === 0 ? Number.POSITIVE_INFINITY : memory_mb * mebibyte;
  const limits = { memoryBytes, processes, scratchBytes: scratch_mb * mebibyte };
  return { mode, read, limits, ...(user === undefined ? {} : { user: String(user) }) };
}

const mebibyte = 1024 * 1024;

async function webhookOf(
  { url, secret, secret_file, events }: WrittenSettings["webhooks"][number],
  place: string,
  folder: string,
): Promise<WebhookTarget> {
  if (secret !== undefined) return { url, secret, events };
  const file = resolve(folder, secret_file ?? "");
  const read = (await readText(file, { file, ...naming })).trim();
  if (!secretForm.test(read)) throw new Fault("configuration", `${place}: ${file}: ${secretRemedy}`);
  return { url, secret: read, events };
}

function isOnlyComments(text: string): boolean {
  return text.split(/\r?\n/).every((line) => /^\s*(#.*)?$/.test(line));
}

async function refuseInside(real: string, repository: string, path: string): Promise<void> {
  const top = await realpath(repository).catch(() => repository);
  const inside = relative(top, real);
  if (inside.split(/[\\/]/)[0] === ".." || isAbsolute(inside)) return;
  throw new Fault("configuration", `${path}: settings are not read from the repository being worked on`, {
    remedy: "move the file out of the repository: to $SHEAF_HOME, or elsewhere with --config",
  });
}
