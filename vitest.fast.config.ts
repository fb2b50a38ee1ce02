import { defineConfig } from "vitest/config";
import { together } from "./test/kinds.ts";
import all from "./vitest.config.ts";

/** What is proven without a database, a thread pool, a process or a repository: for every save. */
export default defineConfig({
  test: { ...all.test, projects: undefined, include: together, isolate: false },
});
