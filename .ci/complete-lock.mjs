#!/usr/bin/env node
// Keeps package-lock.json installable on every platform, whatever registry wrote it.
//
// Where a registry does not serve the builds of other platforms, `npm install` drops them from the lock without a
// word, and `npm ci` then refuses on those platforms ("Missing: ... from lock file"). This adds the entries back.
// What an entry needs is derived from the package's name and from its siblings, so it works without a network;
// `--ask` asks the registry through npm for what no name can tell (the integrity), and `--check` only looks.
//
//   node .ci/complete-lock.mjs            add what is missing
//   node .ci/complete-lock.mjs --ask      the same, asking the registry for entries without an integrity
//   node .ci/complete-lock.mjs --check    write nothing; exit 1 and name what is wrong
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const systems = {
  aix: "aix",
  android: "android",
  darwin: "darwin",
  freebsd: "freebsd",
  linux: "linux",
  netbsd: "netbsd",
  openbsd: "openbsd",
  openharmony: "openharmony",
  sunos: "sunos",
  win: "win32",
  win32: "win32",
  windows: "win32",
};
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

const modes = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
const root = resolve(process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? ".");
const lockFile = join(root, "package-lock.json");
const lock = JSON.parse(readFileSync(lockFile, "utf8"));

if (modes.includes("--check")) check();
else complete();

function check() {
  const wrong = [
    ...missingEntries(lock).map((entry) => `missing from package-lock.json: ${entry.name}@${entry.version}`),
    ...registryAddresses(lock).map((key) => `package-lock.json names a registry host: ${key}`),
    ...unpinned(JSON.parse(readFileSync(join(root, "package.json"), "utf8"))).map(
      (pin) => `package.json does not pin an exact version: ${pin}`,
    ),
  ];
  if (wrong.length === 0) return;
  for (const line of wrong) console.error(line);
  console.error("put it right with: node .ci/complete-lock.mjs");
  process.exitCode = 1;
}

function complete() {
  for (const entry of missingEntries(lock)) lock.packages[entry.key] = derivedEntry(entry);
  for (const key of registryAddresses(lock)) delete lock.packages[key].resolved;
  if (modes.includes("--ask")) askRegistry(lock);
  const sorted = Object.entries(lock.packages).sort(([left], [right]) => left.localeCompare(right, "en"));
  lock.packages = Object.fromEntries(sorted);
  writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
}

/** Every optional dependency that its package would not find by walking up, as node resolves. */
function missingEntries({ packages }) {
  const missing = new Map();
  for (const wanted of optionalDependencies(packages)) {
    if (isFound(packages, wanted)) continue;
    const key = placeOf(wanted, (taken) => packages[taken] !== undefined || missing.has(taken));
    missing.set(key, { ...wanted, key });
  }
  return [...missing.values()];
}

function optionalDependencies(packages) {
  return Object.entries(packages).flatMap(([parentKey, parent]) =>
    Object.entries(parent.optionalDependencies ?? {}).map(([name, range]) => {
      return { name, range, version: exactVersion(range, parent.version), parent, parentKey };
    }),
  );
}

function isFound(packages, { name, range, version, parentKey }) {
  const found = lookUp(packages, parentKey, name);
  return found !== undefined && (range !== version || found.version === version);
}

/** At the root where that place is free, else beside the parent. */
function placeOf({ name, parentKey }, isTaken) {
  const atRoot = `node_modules/${name}`;
  return parentKey === "" || !isTaken(atRoot) ? atRoot : `${parentKey}/${atRoot}`;
}

/** Platform builds carry their parent's version; a range such as ^18.4.0-beta.17 means just that. */
function exactVersion(range, parentVersion) {
  if (/^\d+\.\d+\.\d+/.test(range)) return range;
  const floor = range.replace(/^[\^~>=\s]+/, "");
  return floor.split(".")[0] === parentVersion?.split(".")[0] ? parentVersion : floor;
}

function lookUp(packages, parentKey, name) {
  for (let key = parentKey; ; key = key.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, "")) {
    const found = packages[key === "" ? `node_modules/${name}` : `${key}/node_modules/${name}`];
    if (found !== undefined || key === "") return found;
  }
}

function derivedEntry({ name, version, parent, parentKey }) {
  const { license, hasInstallScript, engines } = siblingOf(parent, parentKey, version) ?? {};
  return inNpmOrder({
    version,
    ...platformOf(name),
    dev: parent.dev,
    optional: true,
    license,
    hasInstallScript,
    engines,
  });
}

/** Another platform's build of the same package, which the registry did serve. */
function siblingOf(parent, parentKey, version) {
  return Object.keys(parent.optionalDependencies)
    .map((name) => lookUp(lock.packages, parentKey, name))
    .find((entry) => entry?.version === version && entry.integrity !== undefined);
}

/** `@scope/thing-linux-arm64-musl` -> os, cpu and libc. A name that says none of it is an error, not a guess. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.map((word) => systems[word]).find((system) => system !== undefined);
  const cpu = words.find((word) => processors.includes(word));
  if (os === undefined && cpu === undefined) throw new Error(`no platform in the name of ${name}: add it by hand`);
  const libc = words.some((word) => word.startsWith("musl")) ? "musl" : words.some(isGlibc) ? "glibc" : undefined;
  return { cpu: cpu && [cpu], libc: libc && os === "linux" ? [libc] : undefined, os: os && [os] };
}

function isGlibc(word) {
  return word.startsWith("gnu");
}

function registryAddresses({ packages }) {
  return Object.keys(packages).filter((key) => /^https?:/.test(packages[key].resolved ?? ""));
}

function unpinned(manifest) {
  return ["dependencies", "devDependencies", "optionalDependencies"]
    .flatMap((kind) => Object.entries(manifest[kind] ?? {}))
    .filter(([, range]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range))
    .map(([name, range]) => `${name}@${range}`);
}

/** Fills in what only the registry knows. An answer of "not found" leaves the entry as it was derived. */
function askRegistry({ packages }) {
  for (const [key, entry] of Object.entries(packages)) {
    if (!entry.optional || entry.integrity !== undefined) continue;
    const known = view(`${key.replace(/^.*node_modules\//, "")}@${entry.version}`);
    if (known !== undefined) packages[key] = inNpmOrder({ ...entry, ...asLocked(known) });
  }
}

function asLocked({ os, cpu, libc, engines, license, "dist.integrity": integrity }) {
  return present({ os: list(os), cpu: list(cpu), libc: list(libc), engines, license, integrity });
}

function list(value) {
  return value === undefined ? undefined : [value].flat();
}

function present(entry) {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

/** As npm itself writes an entry, so that its next rewrite changes nothing. */
function inNpmOrder(entry) {
  const order = [
    "version",
    "integrity",
    "cpu",
    "dev",
    "hasInstallScript",
    "libc",
    "license",
    "optional",
    "os",
    "engines",
  ];
  const rank = (key) => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.fromEntries(Object.entries(present(entry)).sort(([left], [right]) => rank(left) - rank(right)));
}

function view(spec) {
  const fields = ["version", "os", "cpu", "libc", "engines", "license", "dist.integrity"];
  try {
    const answer = execFileSync("npm", ["view", spec, ...fields, "--json"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      shell: process.platform === "win32",
    });
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}
