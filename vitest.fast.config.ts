import { configDefaults, defineConfig } from "vitest/config";
import all from "./vitest.config.ts";

/** What is proven without a database, a thread pool, a process or a repository: for every save. */
export default defineConfig({
  test: {
    ...all.test,
    globalSetup: [],
    // Nothing here changes what another file could see; loading the modules once is half the time.
    isolate: false,
    exclude: [
      ...configDefaults.exclude,
      "test/{ci,db,end-to-end,http,sandbox,telemetry,webhook,workspace}/**",
      "test/{architecture,bin}.test.ts",
      "test/**/*oracle.test.ts",
      "test/coordinator/{command-steps,format-changes,ordered-tasks,publish-branch,recover,run-job,scan-tree,setup,split-job,start-of,take-repository,thread-death}.test.ts",
      "test/files/bundle.test.ts",
      "test/rewrite/**",
    ],
  },
});
