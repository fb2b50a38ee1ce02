import { afterAll, beforeAll, expect, it } from "vitest";
import { type MessagesServer, openMessagesServer } from "../support/messages-server.ts";
import { openSheaf, patience, type Sheaf } from "../support/sheaf.ts";
import { type Playground, playground } from "../workspace/playground.ts";

const write = (file_path: string) => ({ name: "write", input: { file_path, content: "new\n" } });
const turns = [
  [{ name: "read", input: { file_path: "a.txt" } }, write("b.txt")],
  [
    { name: "edit", input: { file_path: "a.txt", old_string: "a", new_string: "b" } },
    { name: "read", input: { file_path: "b.txt" } },
  ],
  [write("d.txt")],
  [{ name: "submit", input: { summary: "done" } }],
];

let ground: Playground;
let server: MessagesServer;
let sheaf: Sheaf;
let isHeld = true;
beforeAll(async () => {
  ground = playground();
  ground.write("a.txt", "a\n");
  ground.commit();
  server = await openMessagesServer({
    keep: "bodies",
    behave: ({ turn }) => ({
      calls: turns[turn - 1] ?? [],
      ...(turn === 3 && isHeld ? { delayMs: 120_000 } : {}),
    }),
  });
  sheaf = openSheaf();
});
afterAll(async () => {
  await sheaf[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

it(
  "an agent whose process is killed goes on in its conversation when the job is run again, and nothing is paid twice",
  async () => {
    const job = sheaf.write(
      "job.yaml",
      JSON.stringify({
        version: 1,
        agents: { writer: { model: "claude-sonnet-5-5", prompt: "Write.", tools: ["Read", "Write", "Edit"] } },
        tasks: [{ id: "one", writes: ["**"], steps: [{ prompt: "work", agent: "writer" }] }],
      }),
    );
    const env = { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: server.key };
    const running = sheaf.start(["run", job, "--repo", ground.user, "--max-usd", "5"], { env });
    const isAsking = async () => {
      while (server.logged.length < 2 || server.open < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    // Where it ends by itself, what it said is why.
    const early = running.ended.then((called) => Promise.reject(new Error(called.stderr)));
    await Promise.race([isAsking(), early]);
    early.catch(() => {});
    running.child.kill("SIGKILL");
    await running.ended;
    isHeld = false;
    const { result, stderr } = await sheaf.job([job, "--repo", ground.user, "--max-usd", "5"], { env });
    expect(result, stderr).toMatchObject({ tasks: [{ state: "succeeded", attempts: 1, files_changed: 3 }] });
    const asked = server.logged.map(({ turn }) => turn);
    expect(asked).toEqual([1, 2, 3, 4]);
    // The conversation only grows: what was said before stands in front of it, to the byte.
    const bodies = server.logged.map(({ body }) =>
      JSON.stringify((body as { messages: { content: unknown }[] }).messages[2]),
    );
    expect(bodies[3]).toBe(bodies[2]);
  },
  patience,
);
