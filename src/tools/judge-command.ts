import { containSync } from "../files/contain.ts";
import { openLook } from "../files/look.ts";
import { decideCommand } from "../permission/decide-command.ts";
import type { Decision } from "../protocol/scope.ts";
import { bash } from "./bash.ts";
import { decidePaths } from "./decide-paths.ts";
import type { JudgeView } from "./judge.ts";

/** The coordinator's decision on a command line. Where its output goes to a file, that is an edit like any other. */
export function judgeCommand(text: string, view: JudgeView): Decision {
  const look = openLook(view.root, view);
  return decideCommand(view.scope, text, {
    decideRedirect(path) {
      const at = containSync(path, look, { root: view.root });
      return decidePaths([{ tool: "Edit", path }], [at], { ...view, tool: bash }).decision;
    },
  });
}
