import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { builtinModules } from "../../src/rewrite/builtin-modules.ts";
import { bigRepository, runBigJob } from "./big-job.ts";
import type { Figure } from "./figure.ts";
import { installProgram } from "./installed-program.ts";
import { git } from "./many-files.ts";
import { measureCommand } from "./measured-command.ts";
import { ratioOfMinima, short, takePairs } from "./pairs.ts";
import { restore } from "./real-files.ts";

export const runCpu: Figure = {
  name: "run-cpu",
  title: "CPU of the whole sheaf run of node-protocol, database included / of ast-grep scan -U, same rule and files",
  async measure({ directory, isQuick }) {
    const { repository, files, megabytes } = await bigRepository(directory, isQuick);
    const { command } = await installProgram(join(directory, "program"));
    const binary = await astGrepBinary();
    const rules = join(directory, "node-protocol.yml");
    await writeFile(rules, ruleFile());
    let changed = { sheaf: 0, astGrep: 0 };
    const pairs = await takePairs(isQuick ? 1 : 4, {
      subject: async () => {
        const cost = await runBigJob(command, { home: join(directory, "home"), repository });
        changed = { ...changed, sheaf: cost.filesChanged };
        return cost.cpuMs;
      },
      baseline: async () => {
        const cost = await measureCommand([binary, "scan", "--rule", rules, "-U", repository], { cwd: directory });
        const names = (await git(repository, ["diff", "--name-only"])).split("\n");
        changed = { ...changed, astGrep: names.length };
        await restore(repository);
        return cost.cpuMs;
      },
    });
    const [subject, baseline] = [Math.min(...pairs.subject) / 1_000, Math.min(...pairs.baseline) / 1_000];
    return [
      {
        what: `sheaf run / ast-grep, CPU, ${files} files (${short(megabytes)} MB), ${changed.sheaf} and ${changed.astGrep} of them changed`,
        unit: "x",
        ...ratioOfMinima(pairs),
        goal: { is: "<=", limit: 3 },
        absolute: `${short(subject)} s / ${short(baseline)} s of CPU`,
      },
    ];
  },
};

/** The binary itself: the npm package's own command starts Node first. */
async function astGrepBinary(): Promise<string> {
  const scope = join(import.meta.dirname, "../../node_modules/@ast-grep");
  for (const name of await readdir(scope)) {
    const binary = join(scope, name, process.platform === "win32" ? "ast-grep.exe" : "ast-grep");
    if (name.startsWith("cli-") && existsSync(binary)) return binary;
  }
  throw new Error("no ast-grep binary for this platform in node_modules/@ast-grep");
}

const requirers = "require|require\\.resolve|import|(jest|vi)\\.(mock|doMock|unmock|requireActual|importActual)";

/** The recipe as a person would write it for the command: module names in imports, exports and calls that resolve. */
function ruleFile(): string {
  const names = [...builtinModules].join("|");
  return ["JavaScript", "TypeScript", "Tsx"]
    .map(
      (language) => `id: node-protocol-${language.toLowerCase()}
language: ${language}
rule:
  all:
    - pattern: $NAME
    - kind: string_fragment
    - regex: "^(${names})$"
    - inside:
        kind: string
        any:
          - inside: { any: [${importers(language)}] }
          - nthChild: 1
            inside:
              kind: arguments
              inside: { kind: call_expression, has: { field: function, regex: '^(${requirers})$' } }
fix: node:$NAME
`,
    )
    .join("---\n");
}

function importers(language: string): string {
  // `import fs = require("fs")` is TypeScript's own.
  const kinds = [
    "import_statement",
    "export_statement",
    ...(language === "JavaScript" ? [] : ["import_require_clause"]),
  ];
  return kinds.map((kind) => `{ kind: ${kind} }`).join(", ");
}
