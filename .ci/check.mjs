// `npm run check`: every rule that a tool can hold, held. Silent when all is well; otherwise what each tool said.
import { exec } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

// Longest first, two at a time: that is how many cores a small machine has.
const checks = [
  { name: "knip", command: "knip --no-progress --treat-config-hints-as-errors" },
  { name: "types", command: "tsc --pretty false" },
  { name: "package", command: "node .ci/build.mjs && publint run --strict --pack=npm" },
  { name: "architecture", command: "node test/cruise.ts" },
  { name: "style", command: "biome ci --colors=off --error-on-warnings ." },
  { name: "lock", command: "node .ci/complete-lock.mjs --check" },
];

const failures = [];
await Promise.all([work(), work()]);
for (const { name, command, said } of failures) console.error(`--- ${name}: ${command}\n${said.trim()}\n`);
if (failures.length > 0) {
  console.error(`${failures.length} of the checks failed: ${failures.map(({ name }) => name).join(", ")}`);
  process.exitCode = 1;
}

async function work() {
  for (let check = checks.shift(); check !== undefined; check = checks.shift()) {
    const said = await run(check.command);
    if (said !== undefined) failures.push({ ...check, said });
  }
}

/** What a command printed, when it did not end well. */
function run(command) {
  return new Promise((resolve) => {
    const options = { cwd: root, maxBuffer: 64 * 2 ** 20, env: { ...process.env, NO_COLOR: "1" } };
    exec(command, options, (failure, stdout, stderr) => {
      resolve(failure === null ? undefined : `${stdout}${stderr}` || failure.message);
    });
  });
}
