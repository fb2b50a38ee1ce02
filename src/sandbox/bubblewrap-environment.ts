import { homeInside } from "./bubblewrap-arguments.ts";
import type { Command } from "./driver.ts";

/** What a command finds in its environment besides what came with it. Nothing of Sheaf's own is among it. */
export function environmentInside(path: string): Record<string, string> {
  return {
    PATH: path,
    HOME: homeInside,
    USER: "sheaf",
    LOGNAME: "sheaf",
    SHELL: "/bin/sh",
    TMPDIR: "/tmp",
    LANG: "C.UTF-8",
    TERM: "dumb",
    CI: "true",
    NO_COLOR: "1",
    // Its tree belongs to another account than git's objects do; there is nobody it could ask for a password.
    // A folder of the tree that only looks like a repository brings settings that start programs: git leaves it alone.
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: "safe.directory",
    GIT_CONFIG_VALUE_0: "*",
    GIT_CONFIG_KEY_1: "safe.bareRepository",
    GIT_CONFIG_VALUE_1: "explicit",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
  };
}

/**
 * The variables that came with a command, as arguments for bubblewrap that stand in no process's list of arguments.
 * They are never given to bubblewrap itself: some of them (LD_PRELOAD) would load a file of the tree into it, outside.
 */
export function variableArguments(
  { env, secrets }: Pick<Command, "env" | "secrets">,
  own: Readonly<Record<string, string>>,
): string[] {
  const given = { ...env, ...secrets };
  return Object.entries(given).flatMap(([name, value]) => (Object.hasOwn(own, name) ? [] : ["--setenv", name, value]));
}

/** A name or value that no environment can hold. */
export function isUnspeakable({ run, env, secrets }: Pick<Command, "run" | "env" | "secrets">): boolean {
  const words = typeof run === "string" ? [run] : run;
  const variables = Object.entries({ ...env, ...secrets });
  const holdsNul = [...words, ...variables.flat()].some((text) => text.includes("\0"));
  return (
    holdsNul ||
    words[0] === undefined ||
    words[0] === "" ||
    variables.some(([name]) => name === "" || name.includes("="))
  );
}
