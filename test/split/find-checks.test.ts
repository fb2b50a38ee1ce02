import { expect, it } from "vitest";
import { findChecks } from "../../src/split/find-checks.ts";

function found(files: Readonly<Record<string, string>>) {
  return findChecks(new Map(Object.entries(files)), (path) => Object.hasOwn(files, path));
}

it("takes what a package.json calls test, types and lint, and installs by a lock file of npm alone", () => {
  const manifest = JSON.stringify({
    scripts: { test: "vitest run", typecheck: "tsc", lint: "biome check", build: "tsc -b" },
    devDependencies: { typescript: "7.0.0" },
  });
  const checks = ["npm test", "npm run typecheck", "npm run lint"];
  expect(found({ "package.json": manifest, "tsconfig.json": "{}" })).toEqual({ checks });
  expect(found({ "package.json": manifest, "package-lock.json": "{}" })).toEqual({
    checks,
    setup: { run: "npm ci", network: ["registry"] },
  });
  expect(found({ "package.json": manifest, "yarn.lock": "" }).checks[0]).toBe("yarn test");
});

it("compiles where TypeScript is there and no script says how, and takes no test that is none", () => {
  const manifest = JSON.stringify({
    scripts: { test: 'echo "Error: no test specified" && exit 1' },
    devDependencies: { typescript: "7.0.0" },
  });
  expect(found({ "package.json": manifest, "tsconfig.json": "{}" }).checks).toEqual([
    "npx --no-install tsc --noEmit -p .",
  ]);
  expect(found({ "package.json": manifest }).checks).toEqual([]);
  expect(found({ "package.json": "[broken" }).checks).toEqual([]);
  expect(found({ "package.json": '{ "scripts": ["test"], "dependencies": null }' }).checks).toEqual([]);
});

it("knows the tests of other languages by their manifests, and make where nothing else is", () => {
  expect(found({ "pyproject.toml": "[tool.pytest.ini_options]\n" }).checks).toEqual(["python3 -m pytest -q"]);
  expect(found({ "pyproject.toml": "[project]\n" }).checks).toEqual([]);
  expect(found({ "go.mod": "", "Cargo.toml": "", Makefile: "test:\n" }).checks).toEqual([
    "go test ./...",
    "cargo test",
  ]);
  expect(found({ Makefile: "build:\ntest: build\n" }).checks).toEqual(["make test"]);
  expect(found({ Makefile: "test := x\ntests:\n" }).checks).toEqual([]);
});
