// The demo's check. It loads every module of the package in the current folder and serves one request with it;
// what the package depends on is found through NODE_PATH. It is green only after the answer has been looked at.
const { readdirSync } = require("node:fs");
const { join } = require("node:path");

// An event loop that runs dry before the answer is there is no success.
process.exitCode = 1;

const lib = join(process.cwd(), "lib");
const modules = readdirSync(lib).filter((name) => name.endsWith(".js"));
for (const name of modules) require(join(lib, name));

const app = require(join(process.cwd(), "fastify.js"))();
app.get("/", async () => ({ hello: "world" }));
app.inject("/").then(({ statusCode, body }) => {
  if (statusCode !== 200 || body !== '{"hello":"world"}') throw new Error(`GET / answered ${statusCode}: ${body}`);
  console.log(`${modules.length + 1} modules loaded, GET / answered 200`);
  process.exitCode = 0;
});
