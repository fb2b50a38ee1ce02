import { defineConfig } from "vitest/config";
import { alone, together } from "./test/kinds.ts";

export default defineConfig({
  test: {
    projects: [
      // Nothing in these changes what another file could see; loading the modules once is half the time.
      { extends: true, test: { name: "together", include: together, isolate: false } },
      {
        extends: true,
        test: { name: "alone", include: alone, globalSetup: ["test/support/shared-postgres.ts"] },
      },
    ],
    // A process each: a test may exhaust, crash or kill threads, and an embedded database gives its memory back.
    pool: "forks",
    // The embedded database is WebAssembly: optimising it costs more than a test file has it do.
    execArgv: ["--liftoff-only"],
    // One a core on the smallest machine: by itself vitest leaves a core idle, and a third one costs more than it saves.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    reporters: process.env.CI ? ["default"] : ["dot"],
    silent: "passed-only",
    unstubEnvs: true,
    restoreMocks: true,
    passWithNoTests: false,
  },
});
