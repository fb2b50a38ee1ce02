import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { defaultKey, type Tally } from "../../support/messages/take.ts";

/** The local Messages server in a process of its own, so that what it costs is nobody's. */
export interface ServedMessages extends AsyncDisposable {
  /** `ANTHROPIC_BASE_URL` and the key to it. */
  env: Readonly<Record<string, string>>;
  /** Empty cache, counters at nothing. */
  reset(): Promise<void>;
  tally(): Promise<Tally>;
}

const script = join(import.meta.dirname, "../../support/messages-server.ts");
const behave = join(import.meta.dirname, "behave.ts");

export async function serveMessages(
  setting: Readonly<Record<string, string | number>>,
  words: readonly string[] = [],
): Promise<ServedMessages> {
  const env = Object.fromEntries(Object.entries(setting).map(([name, value]) => [name, String(value)]));
  const child = spawn(process.execPath, [script, "0", "--behave", behave, ...words], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  const get = async (path: string, method: string) => (await fetch(`${url}${path}`, { method })).json();
  return {
    env: { ANTHROPIC_BASE_URL: String(url), ANTHROPIC_API_KEY: defaultKey },
    async reset() {
      await get("/reset", "POST");
    },
    tally: async () => (await get("/tally", "GET")) as Tally,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}
