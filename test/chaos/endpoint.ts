import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Told, Wanted } from "./endpoint-process.ts";

/** The models' endpoint, in a process of its own. */
export interface Endpoint extends AsyncDisposable {
  /** Where it is, and the key to it, for a node. */
  env: Readonly<Record<string, string>>;
  /** Forgets what it was asked; answers from now on as this seed says, `slower` times as slowly. */
  begin(seed: string, options?: { slower?: number }): Promise<void>;
  tell(): Promise<Told>;
}

export async function openEndpoint(): Promise<Endpoint> {
  const child = fork(join(import.meta.dirname, "endpoint-process.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [{ url, key }] = await once(child, "message");
  const ask = async (wanted: Wanted): Promise<Told> => {
    const answer = once(child, "message");
    child.send(wanted);
    return (await answer)[0];
  };
  return {
    env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key },
    async begin(seed, { slower = 1 } = {}) {
      await ask({ kind: "begin", seed, slower });
    },
    tell: () => ask({ kind: "tell" }),
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await once(child, "exit");
    },
  };
}
