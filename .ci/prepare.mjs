// Runs after `npm ci` and before `npm pack`: builds the template of the embedded database into dist/template, so that
// neither a clone's first run nor an installed package's pays for initdb.
// An install never fails because of it; without a template the first run makes its own.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const template = fileURLToPath(new URL("../dist/template", import.meta.url));
const script = fileURLToPath(new URL("../src/db/make-template.ts", import.meta.url));
const runsTypeScript = Number(process.versions.node.split(".")[0]) >= 24;

if (runsTypeScript && existsSync(script)) {
  try {
    execFileSync(process.execPath, [script, template], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
  } catch (cause) {
    console.error(`no template for the embedded database (the first run makes one): ${lastLine(cause)}`);
  }
}

function lastLine(cause) {
  const lines = String(cause.stderr ?? cause.message).trim();
  return lines.split("\n").find((line) => /^(\w*Error|Fault)\b.*:/.test(line)) ?? lines.split("\n").at(-1);
}
