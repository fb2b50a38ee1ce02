import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { z } from "zod";
import { openRawServer, streamed } from "../support/raw-server.ts";
import { ask, endpointAt } from "../support/served-model.ts";

const report = z.object({ loaded: z.array(z.string()), answered: z.string() });

/** Asks a model in a thread of its own, whose every module is written down. */
async function askInThread(url: string, key: string | undefined, env: Record<string, string>) {
  const { api_key: _none, ...endpoint } = endpointAt(url, key === undefined ? {} : { api_key: key });
  const order = { endpoint: { ...endpoint, ...(key === undefined ? {} : { api_key: key }) }, request: ask() };
  const code = `
    import { registerHooks } from "node:module";
    import { parentPort, workerData } from "node:worker_threads";
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { messagesModel } = await import(${JSON.stringify(new URL("../../src/model/messages.ts", import.meta.url).href)});
    const card = { id: "m", context_tokens: 9000, output_tokens: 900 };
    const model = messagesModel({ name: "m", model: "m", card, endpoint: workerData.endpoint });
    const { content } = await model.answer(workerData.request, { signal: new AbortController().signal });
    parentPort.postMessage({ loaded, answered: content[0].text });
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: order, env });
  const [message] = await once(worker, "message");
  await worker.terminate();
  return report.parse(message);
}

it("A thread asks a model without a look at files, programs or keys, be there ever so many.", async () => {
  const home = await mkdtemp(join(tmpdir(), "sheaf-keys-"));
  await mkdir(join(home, ".config", "anthropic", "configs"), { recursive: true });
  await writeFile(
    join(home, ".config", "anthropic", "configs", "default.json"),
    JSON.stringify({ authentication: { type: "user_oauth" }, base_url: "http://127.0.0.1:9" }),
  );
  await using server = await openRawServer(
    streamed(
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "Hi" } },
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
      { type: "message_stop" },
    ),
  );
  try {
    // More than a thread of ours has: the pool gives it none of it.
    const env = {
      HOME: home,
      ANTHROPIC_API_KEY: "sk-of-the-machine",
      ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
      ANTHROPIC_LOG: "debug",
    };
    for (const key of [undefined, "sk-given"]) {
      const { loaded, answered } = await askInThread(server.url, key, env);
      expect(answered).toBe("Hi");
      expect(loaded.length).toBeGreaterThan(100);
      // The two that test/architecture.cjs does not follow, and what they would open. HTTP is the fetch under the SDK's.
      expect(
        loaded.filter((url) => /(internal|agent-toolset)\/node\.m?js$|^node:(child_process|fs|net|http2)/.test(url)),
      ).toEqual([]);
    }
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, "Bearer sk-given"]);
  } finally {
    await rm(home, { recursive: true });
  }
});
