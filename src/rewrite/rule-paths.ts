import { compileGlob } from "./path-glob.ts";
import type { Refuse } from "./rule-matcher.ts";
import { isRecord } from "./rule-shape.ts";

/** Whether a rule's `files` and `ignores` let it look at a path. Throws Fault `rule` for a glob that does not compile. */
export function pathTest(document: Readonly<Record<string, unknown>>, refuse: Refuse): (path: string) => boolean {
  const files = globsOf(document.files, "files", refuse);
  const ignores = globsOf(document.ignores, "ignores", refuse) ?? [];
  return (path) => !ignores.some((test) => test(path)) && (files === undefined || files.some((test) => test(path)));
}

function globsOf(written: unknown, key: string, refuse: Refuse): ((path: string) => boolean)[] | undefined {
  if (written == null) return undefined;
  if (!Array.isArray(written)) throw refuse(key, "not a list", "write a list of globs");
  return written.map((one) => {
    const glob = isRecord(one) ? one.glob : one;
    if (typeof glob !== "string") throw refuse(key, "a glob is not a text", "write a list of globs");
    try {
      return compileGlob(glob, isRecord(one) && one.caseInsensitive === true);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw refuse(key, `the glob \`${glob}\` does not compile: ${reason}`, "see https://docs.rs/globset#syntax");
    }
  });
}
