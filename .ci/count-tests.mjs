// Reads what vitest's JSON reporter wrote and says it in one line. A file that could not run at all is a failure.
import { readFileSync } from "node:fs";

const results = JSON.parse(readFileSync(process.argv[2], "utf8"));
const brokenFiles = results.testResults.filter(
  (file) => file.status === "failed" && file.assertionResults.length === 0,
);
const failed = results.numFailedTests + brokenFiles.length;
console.log(`${results.numPassedTests} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
