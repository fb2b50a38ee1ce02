/**
 * The other names by which npm and those like it know their subcommands, for rules that forbid. Taken from npm's list of
 * commands and aliases (`lib/utils/cmd-list.js`); one name too many costs less than one too few.
 */

/** Whether `value` names what `wanted` names, or does that among other things. */
export function meansVerb(value: string, wanted: string): boolean {
  if (synonyms.some((names) => names.includes(value) && names.includes(wanted))) return true;
  return (including[value] ?? []).some((each) => each === wanted || meansVerb(each, wanted));
}

export function isPackageManager(program: string): boolean {
  return /^(?:npm|pnpm|yarn|bun)$/.test(program);
}

/** Whether this word only says that the name of a script follows. */
export function runsScripts(program: string, value: string): boolean {
  return isPackageManager(program) && meansVerb(value, "run");
}

/** Whether a script is run by its name alone too: npm knows four such, the others any. */
export function isLifecycle(program: string, script: string): boolean {
  if (program !== "npm") return isPackageManager(program) && script !== "run";
  return lifecycle.some((name) => name === script || meansVerb(script, name));
}

/** Whether a word that a rule wants may be missing: `yarn` installs, and `npm test` is `npm run test`. */
export function mayLeaveOut(
  program: string,
  wanted: string,
  place: { next: string | undefined; isLast: boolean },
): boolean {
  if (!isPackageManager(program)) return false;
  if (place.isLast) return program === "yarn" && meansVerb(wanted, "install");
  if (!meansVerb(wanted, "run")) return false;
  return place.next === undefined ? program !== "npm" : isLifecycle(program, place.next);
}

const lifecycle = ["test", "start", "stop", "restart"];

const synonyms: readonly (readonly string[])[] = [
  ["run", "run-script", "rum", "urn"],
  ["test", "t", "tst"],
  ["exec", "x", "dlx"],
  ["install", "i", "in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall", "add"],
  ["uninstall", "un", "unlink", "remove", "rm", "r"],
  ["ci", "clean-install", "ic", "install-clean", "isntall-clean"],
  ["install-test", "it"],
  ["install-ci-test", "cit", "clean-install-test", "sit"],
  ["update", "up", "upgrade", "udpate"],
  ["config", "c"],
  ["dedupe", "ddp"],
  ["link", "ln"],
  ["rebuild", "rb"],
  ["create", "innit", "init"],
  ["search", "s", "se", "find"],
  ["view", "v", "info", "show"],
  ["list", "ls", "la", "ll"],
  ["explain", "why"],
  ["adduser", "add-user", "login"],
  ["owner", "author"],
  ["docs", "home"],
  ["bugs", "issues"],
];

const including: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  it: ["install", "test"],
  "install-test": ["install", "test"],
  cit: ["ci", "test"],
  sit: ["ci", "test"],
  "install-ci-test": ["ci", "test"],
  "clean-install-test": ["ci", "test"],
  restart: ["stop", "start"],
  set: ["config"],
});
