import { createHash } from "node:crypto";
import type { Setup } from "../../protocol/job.ts";
import type { TreeEntry } from "../../workspace/tree-listing.ts";

/**
 * Names what a setup prepares: the command, and what it was made of. The repository is part of the name, since what is
 * installed may run its scripts; so are the network and the secrets that it had: what it could not fetch may be missing
 * without a word, and what it fetched with a secret is not for a job that has none. Pure.
 */
export function setupKey(
  { run, network = [], secrets = [] }: Pick<Setup, "run" | "network" | "secrets">,
  repository: string,
  /** A tree, or what stands for all trees that may share it. */
  madeOf: string,
): string {
  return createHash("sha256")
    .update(JSON.stringify([repository, run, madeOf, [...network].sort(), [...secrets].sort()]))
    .digest("hex");
}

/** All in a tree that says which dependencies there are, and the files that the command `run` names, as one hash. */
export function manifestsOf(entries: Iterable<TreeEntry>, run = ""): string {
  const named = new Set(run.split(/[\s"'`;&|()<>=]+/).map((word) => word.replace(/^(?:\.\/+)+/, "")));
  const telling = [...entries].filter(({ path }) => isManifest(path) || named.has(path));
  const listed = telling.map(({ path, mode, oid }) => `${mode} ${oid}\t${path}`).sort();
  return createHash("sha256").update(JSON.stringify(listed)).digest("hex");
}

function isManifest(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return manifests.has(name) || /^(?:dev-|test-)?requirements[^/]*\.(?:txt|in)$/.test(name) || isPatch(path);
}

/** Patches of dependencies, which pnpm, yarn and patch-package apply while they install. */
function isPatch(path: string): boolean {
  return /(?:^|\/)(?:patches|\.yarn\/patches)\/[^/]+\.patch$/.test(path);
}

const manifests = new Set([
  // JavaScript
  "package.json",
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  ".pnpmfile.cjs",
  "yarn.lock",
  ".yarnrc",
  ".yarnrc.yml",
  ".npmrc",
  "bun.lock",
  "bun.lockb",
  "deno.json",
  "deno.lock",
  ".nvmrc",
  ".node-version",
  // Python
  "pyproject.toml",
  "poetry.lock",
  "uv.lock",
  "pdm.lock",
  "Pipfile",
  "Pipfile.lock",
  "setup.py",
  "setup.cfg",
  "constraints.txt",
  "environment.yml",
  ".python-version",
  // Go, Rust
  "go.mod",
  "go.sum",
  "go.work",
  "go.work.sum",
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain",
  "rust-toolchain.toml",
  // JVM
  "pom.xml",
  "build.gradle",
  "build.gradle.kts",
  "settings.gradle",
  "settings.gradle.kts",
  "gradle.lockfile",
  "libs.versions.toml",
  "gradle-wrapper.properties",
  "maven-wrapper.properties",
  // Others
  "Gemfile",
  "Gemfile.lock",
  "composer.json",
  "composer.lock",
  "mix.exs",
  "mix.lock",
  "Package.swift",
  "Package.resolved",
  "packages.lock.json",
  "Directory.Packages.props",
  ".tool-versions",
  "mise.toml",
]);
