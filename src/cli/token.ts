import { type Command, InvalidArgumentError } from "commander";
import {
  createToken,
  listTokens,
  type Made,
  type Refused,
  revokeToken,
  rotateToken,
  type TokenPlace,
} from "../access/change-tokens.ts";
import { lifetimeMs, type Scope, scopes, type TokenView, tokenName, tokenScopes } from "../access/token.ts";
import { systemClock as clock } from "../clock.ts";
import { Fault } from "../protocol/failure.ts";
import { makeDataFolder } from "./data-folder.ts";
import { collect, formatOption } from "./options.ts";
import type { Surroundings } from "./session.ts";
import type { Verb } from "./verb.ts";
import { columns, count } from "./words.ts";

/**
 * Tokens of this data folder's server, running or not: the file is changed, and the server looks at it each second. A
 * secret is printed once, alone on stdout, and is in no file afterwards but for the first token's.
 */
export const addToken: Verb = (program, around) => {
  const token = program
    .command("token")
    .description("Who may use this data folder's server over the network, and for what")
    .addHelpText("after", examples);
  const place = () => placeOf(program.opts<{ server?: string }>().server ?? around.config.server, around);
  for (const add of [addList, addCreate, addRotate, addRevoke]) add(token, { ...around, place });
};

const examples = [
  "",
  "Scopes: read looks, run submits and cancels, approve answers questions, admin may do all. None includes another.",
  "",
  "Examples:",
  "  sheaf token create ci --scope read --scope run --expires 90d",
  "  sheaf token rotate ci --grace 1h      the secret of before stays good for an hour",
  "  sheaf token revoke ci                 counts within a second, while the server runs",
].join("\n");

interface Around extends Surroundings {
  place(): Promise<TokenPlace>;
}

interface Printed {
  outputFormat: string;
}

function addList(token: Command, around: Around): void {
  token
    .command("list")
    .description("The tokens there are, without their secrets")
    .addOption(formatOption(["text", "json"], "text or json"))
    .action(async ({ outputFormat }: Printed) => {
      const tokens = await listTokens(await around.place());
      if (outputFormat === "json") return around.terminal.print(JSON.stringify(tokens, null, 2));
      if (tokens.length === 0) return around.terminal.tell("no token: sheaf token create NAME --scope admin");
      for (const line of columns([["TOKEN", "SCOPES", "STATE", "MADE (UTC)"], ...tokens.map(row)])) {
        around.terminal.print(line);
      }
    });
}

function addCreate(token: Command, around: Around): void {
  token
    .command("create")
    .description("Makes a token and prints its secret, this once")
    .argument("<name>", "1 to 64 of A-Z a-z 0-9 . _ -", nameOf)
    .option("--scope <scope>", `${scopes.join(", ")}; may be given several times`, collect, [])
    .option("--expires <time>", "how long it lives, such as 30d or 12h; default until it is revoked", lifetime)
    .addOption(formatOption(["text", "json"], "text or json"))
    .action(async (name: string, options: Printed & { scope: string[]; expires?: number }) => {
      const wanted = scopesOf(options.scope);
      const order = { name, scopes: wanted, expiresInMs: options.expires };
      tellMade(await createToken(order, await around.place()), options, around);
    });
}

function addRotate(token: Command, around: Around): void {
  token
    .command("rotate")
    .description("Gives a token a new secret and prints it, this once")
    .argument("<name>", "the token's name")
    .option("--grace <time>", "how long the secret of before stays good; default not at all", lifetime)
    .addOption(formatOption(["text", "json"], "text or json"))
    .action(async (name: string, options: Printed & { grace?: number }) => {
      const made = await rotateToken({ name, graceMs: options.grace ?? 0 }, await around.place());
      tellMade(made, options, around);
    });
}

function addRevoke(token: Command, around: Around): void {
  token
    .command("revoke")
    .description("Takes a token out, with all its secrets")
    .argument("<name>", "the token's name")
    .action(async (name: string) => {
      const place = await around.place();
      orRefuse(await revokeToken({ name, keepsAdmin: false }, place));
      const left = (await listTokens(place)).filter(({ scopes: held, state }) => {
        return held.includes("admin") && state === "valid";
      });
      around.terminal.tell(`${name} is revoked; ${count(left.length, "token")} with the scope admin left`);
    });
}

/** On the folder of this machine: a server elsewhere has addresses for it. */
async function placeOf(server: string | undefined, { config }: Surroundings): Promise<TokenPlace> {
  if (server !== undefined) {
    throw new Fault("usage", "token: another server is named, and this changes the data folder here", {
      remedy: "leave away --server and SHEAF_SERVER; or ask that server: /v1/tokens, docs/http.md",
    });
  }
  await makeDataFolder(config.home);
  return { home: config.home, clock };
}

function tellMade(made: Made | Refused, { outputFormat }: Printed, { terminal }: Surroundings): void {
  const { token, secret } = orRefuse(made);
  if (outputFormat === "json") {
    terminal.print(JSON.stringify({ token, secret }, null, 2));
    return;
  }
  const end = token.expires_at === undefined ? "" : ` until ${token.expires_at}`;
  const before =
    token.previous_until === undefined ? "" : `; the secret of before is good until ${token.previous_until}`;
  terminal.tell(`${token.name} may ${token.scopes.join(", ")}${end}${before}. Its secret is shown only now:`);
  terminal.print(secret);
}

function orRefuse<T extends object>(changed: T | Refused): T {
  if (!("code" in changed && "detail" in changed)) return changed as T;
  throw new Fault("usage", changed.detail, { remedy: changed.remedy });
}

function row({ name, scopes: held, state, created_at = "", expires_at, previous_until }: TokenView): string[] {
  const until = state === "valid" && expires_at ? `until ${minutes(expires_at)}` : state;
  const before = previous_until ? `, secret of before until ${minutes(previous_until)}` : "";
  return [name, held.join(" "), until + before, minutes(created_at)];
}

function minutes(moment: string): string {
  return moment.slice(0, 16).replace("T", " ");
}

function nameOf(word: string): string {
  const read = tokenName.safeParse(word);
  if (read.success) return read.data;
  throw new InvalidArgumentError(`${read.error.issues[0]?.message ?? "It is no name."}.`);
}

function scopesOf(words: readonly string[]): Scope[] {
  const read = tokenScopes.safeParse(words.flatMap((word) => word.split(",")));
  if (read.success) return read.data;
  throw new Fault("usage", `--scope: ${read.error.issues[0]?.message ?? "unknown"}`, {
    remedy: `name some of ${scopes.join(", ")}, each once`,
  });
}

function lifetime(word: string): number {
  const read = lifetimeMs(word);
  if ("ms" in read) return read.ms;
  throw new InvalidArgumentError(read.reason);
}
