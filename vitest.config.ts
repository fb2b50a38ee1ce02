import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/fixtures/**"],
    // A process each: a test may exhaust, crash or kill threads, and an embedded database gives its memory back.
    pool: "forks",
    // The embedded database is WebAssembly: optimising it costs more than a test file has it do.
    execArgv: ["--liftoff-only"],
    // One a core on the smallest machine; by itself vitest leaves a core idle.
    maxWorkers: 2,
    globalSetup: ["test/support/shared-postgres.ts"],
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
