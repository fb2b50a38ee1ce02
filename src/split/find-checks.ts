/**
 * The checks that a repository has by its own word: what its manifests call test, types and lint. Pure, and careful: what
 * is not plainly written there is not guessed, and only one way to prepare a checkout is certain enough to be taken.
 */
export interface FoundChecks {
  /** Shell commands, in the order they are run. */
  checks: string[];
  setup?: { run: string; network: string[] };
}

/** Manifests at the top of the repository that are read for it. */
export const checkManifests: readonly string[] = [
  "package.json",
  "pyproject.toml",
  "pytest.ini",
  "setup.cfg",
  "tox.ini",
  "go.mod",
  "Cargo.toml",
  "Makefile",
];

/** `has`: is there such a file? `texts`: those of `checkManifests` that are there. */
export function findChecks(texts: ReadonlyMap<string, string>, has: (path: string) => boolean): FoundChecks {
  const node = nodeChecks(texts.get("package.json"), has);
  const others = [
    ...pythonChecks(texts, has),
    ...(texts.has("go.mod") ? ["go test ./..."] : []),
    ...(texts.has("Cargo.toml") ? ["cargo test"] : []),
  ];
  const checks = [...node.checks, ...others];
  if (checks.length === 0 && /^test\s*:(?!=)/m.test(texts.get("Makefile") ?? "")) checks.push("make test");
  return { checks, ...(node.setup ? { setup: node.setup } : {}) };
}

interface Manifest {
  scripts: Record<string, unknown>;
  dependencies: Record<string, unknown>;
}

function nodeChecks(text: string | undefined, has: (path: string) => boolean): FoundChecks {
  const manifest = text === undefined ? undefined : readManifest(text);
  if (!manifest) return { checks: [] };
  const run = runnerOf(has);
  const scripts = Object.keys(manifest.scripts);
  const named = (names: readonly string[]) => names.find((name) => scripts.includes(name));
  const types = named(["typecheck", "type-check", "check-types", "check:types", "types"]);
  const lint = named(["lint"]);
  const compile = !types && has("tsconfig.json") && Object.hasOwn(manifest.dependencies, "typescript");
  const checks = [
    ...(hasTests(manifest.scripts.test) ? [`${run} test`] : []),
    ...(types ? [`${run} run ${types}`] : []),
    ...(compile ? ["npx --no-install tsc --noEmit -p ."] : []),
    ...(lint ? [`${run} run ${lint}`] : []),
  ];
  return { checks, ...setupFor(manifest, checks, has) };
}

/** What `npm init` writes there is no test. */
function hasTests(script: unknown): boolean {
  return typeof script === "string" && script.trim() !== "" && !/no test specified/.test(script);
}

function runnerOf(has: (path: string) => boolean): string {
  if (has("pnpm-lock.yaml")) return "pnpm";
  return has("yarn.lock") ? "yarn" : "npm";
}

/** A lock file of npm says exactly what is installed; of nothing else is that certain without asking. */
function setupFor({ dependencies }: Manifest, checks: readonly string[], has: (path: string) => boolean) {
  const isLocked = has("package-lock.json") || has("npm-shrinkwrap.json");
  const isNeeded = checks.length > 0 && Object.keys(dependencies).length > 0;
  return isLocked && isNeeded ? { setup: { run: "npm ci", network: ["registry"] } } : {};
}

function readManifest(text: string): Manifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const part = (key: string) => (isRecord(value[key]) ? value[key] : {});
  return { scripts: part("scripts"), dependencies: { ...part("dependencies"), ...part("devDependencies") } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pythonChecks(texts: ReadonlyMap<string, string>, has: (path: string) => boolean): string[] {
  const isPytest =
    texts.has("pytest.ini") ||
    has("conftest.py") ||
    has("tests/conftest.py") ||
    /^\[tool\.pytest/m.test(texts.get("pyproject.toml") ?? "") ||
    /^\[(tool:)?pytest\]/m.test(`${texts.get("setup.cfg") ?? ""}\n${texts.get("tox.ini") ?? ""}`);
  return isPytest ? ["python3 -m pytest -q"] : [];
}
