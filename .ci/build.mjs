// Compiles src/ and workers/ into dist/, from nothing: a file deleted from src must not be published from dist.
import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const folder of ["src", "workers"]) rmSync(`${root}/dist/${folder}`, { recursive: true, force: true });
try {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
  });
  chmodSync(`${root}/dist/src/bin.js`, 0o755);
} catch (cause) {
  process.exitCode = cause.status ?? 1;
  if (cause.status === undefined) console.error(cause.message);
}
