import type { Property } from "./properties.ts";
import type { CallProgram } from "./properties-calls.ts";
import type { Attempts } from "./properties-inside.ts";

/** What the attempts say of each property. Whatever succeeded is named; nothing that succeeded is ever excused. */
export function judgeAttempts(
  attempts: Attempts,
  about: { changed: readonly string[]; programs: readonly CallProgram[]; variable(name: string): string | undefined },
): Property[] {
  const { read, opened, connected, interfaces, processes, secrets, status } = attempts;
  const inherited = inheritedIn(attempts.environment, about.variable);
  const others = interfaces.filter((name) => name !== "lo");
  return [
    property("host files", "read no file of this machine beside its tree", found("it read", read)),
    property("writing", "wrote nothing outside its tree", [
      ...found("it opened for writing", opened),
      ...found("it changed", about.changed),
    ]),
    property(
      "processes",
      "saw no process of another command",
      found(
        "it saw",
        processes.map((pid) => `process ${pid}`),
      ),
    ),
    property("environment", "has no variable of Sheaf's own, and no secret of another command", [
      ...found("it has", inherited),
      ...found("it read a secret in", secrets),
    ]),
    property("network and sockets", "reached no listener of this machine, by loopback, file or abstract name", [
      ...found("it reached", connected),
      ...found("it has the interface", others),
    ]),
    property("namespaces", "could make no namespace of its own", refusedCalls(attempts, about.programs, isNamespace)),
    property("seccomp", "is kept from system calls that no build or test needs", [
      ...refusedCalls(attempts, about.programs, (name) => !isNamespace(name)),
      ...(about.programs.length === 0 ? [`nothing is known of the processor ${process.arch}`] : []),
      ...(/^Seccomp:\s*2/m.test(status) ? [] : ["no filter is loaded"]),
    ]),
    property("privileges", "has no capability, and can gain none", [
      ...(/^CapEff:\s*0+$/m.test(status) && /^CapBnd:\s*0+$/m.test(status) ? [] : ["it has capabilities"]),
      ...(/^NoNewPrivs:\s*1/m.test(status) ? [] : ["a setuid program would give it more"]),
    ]),
  ];
}

const isNamespace = (name: string) => name === "call-unshare";

function property(name: string, held: string, broken: readonly string[]): Property {
  return { name, isHeld: broken.length === 0, saw: broken.length === 0 ? `a command ${held}` : broken.join("; ") };
}

function found(what: string, things: readonly string[]): string[] {
  return things.length === 0 ? [] : [`${what} ${things.slice(0, 5).join(", ")}`];
}

/**
 * The same name with the same value here and there. What any sandbox sets by itself may be the same by chance.
 */
function inheritedIn(environment: Attempts["environment"], variable: (name: string) => string | undefined): string[] {
  const names = Object.keys(environment).filter((name) => !setByAnySandbox.has(name) && !name.startsWith("GIT_"));
  return names.filter((name) => environment[name] !== "" && variable(name) === environment[name]);
}

const setByAnySandbox = new Set(
  "PATH HOME USER LOGNAME SHELL LANG LC_ALL TERM TMPDIR CI NO_COLOR PWD OLDPWD SHLVL _ TZ".split(" "),
);

function refusedCalls(
  attempts: Attempts,
  programs: readonly CallProgram[],
  isMeant: (name: string) => boolean,
): string[] {
  return programs
    .filter(({ name }) => isMeant(name))
    .flatMap(({ name, isRefused }) => {
      const exit = attempts.calls[name] ?? null;
      if (exit === null) return [`${name} could not be run, so nothing is known`];
      return isRefused(exit) ? [] : [`${name.replace("call-", "")} was let through`];
    });
}
