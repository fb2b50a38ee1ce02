import type { Files } from "../files/files.ts";
import { guardsScripts, hasSameScripts, scriptsReason } from "../permission/package-scripts.ts";
import type { Scope } from "../protocol/scope.ts";
import type { Judgement } from "./decide-paths.ts";
import { mostFileBytes } from "./existing-file.ts";

/** The files of a run for one call, which cannot give a package.json other scripts. `refusal` says that it tried. */
export interface GuardedFiles extends Files {
  refusal: Judgement | undefined;
}

export function guardScripts(
  files: Files,
  { scope, isCaseInsensitive }: { scope: Scope; isCaseInsensitive: boolean },
): GuardedFiles {
  const guarded: GuardedFiles = {
    ...files,
    refusal: undefined,
    async writeAll(writes) {
      for (const { path, content } of writes) {
        if (!guardsScripts(scope, path, { isCaseInsensitive })) continue;
        const before = await files.read(path, mostFileBytes);
        if (hasSameScripts("bytes" in before ? before.bytes : undefined, content)) continue;
        const reason = `${JSON.stringify(path)} may not be edited so: ${scriptsReason}`;
        guarded.refusal = {
          decision: { effect: "deny", rule: "protected", source: "sheaf", reason },
          subject: path,
        };
        return { refused: reason };
      }
      return files.writeAll(writes);
    },
  };
  return guarded;
}
