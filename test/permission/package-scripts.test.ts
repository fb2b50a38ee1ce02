import { describe, expect, it } from "vitest";
import { guardsScripts, hasSameScripts } from "../../src/permission/package-scripts.ts";
import { parseRule } from "../../src/permission/rule.ts";
import { taskScope } from "../../src/permission/task-scope.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const same = (before: string | undefined, after: string | undefined) =>
  hasSameScripts(before === undefined ? undefined : bytes(before), after === undefined ? undefined : bytes(after));

describe("the scripts of a package.json", () => {
  it("are the same whatever else changes, and whatever their order", () => {
    expect(same('{"scripts":{"a":"1","b":"2"},"version":"1"}', '{"version":"2","scripts":{"b":"2","a":"1"}}')).toBe(
      true,
    );
    expect(same('{"name":"x"}', '{"name":"x","scripts":{}}')).toBe(true);
    expect(same('{"scripts":{"a":"1"}}', undefined)).toBe(true);
    expect(same(undefined, '{"name":"new"}')).toBe(true);
    expect(same("broken", "broken")).toBe(true);
  });

  it("are others when one is added, changed, removed, hidden or cannot be read", () => {
    for (const after of [
      '{"scripts":{"a":"2"}}',
      '{"scripts":{"a":"1","postinstall":"x"}}',
      '{"scripts":{"a":"1"},"scripts":{"a":"2"}}',
      '{"\\u0073cripts":{"a":"2"}}',
      "{}",
      '{"scripts":null}',
      '{"scripts":{"a":"1"}',
      '\ufeff{"scripts":{"a":"1","b":"2"}}',
    ]) {
      expect([after, same('{"scripts":{"a":"1"}}', after)]).toEqual([after, false]);
    }
    expect(same(undefined, '{"scripts":{"a":"1"}}')).toBe(false);
    expect(same("broken", '{"scripts":{"a":"1"}}')).toBe(false);
    expect(same(undefined, "broken")).toBe(false);
  });

  it("are guarded at any depth and in any spelling, unless a rule of the job names the file", () => {
    const scope = (allow: string[]) =>
      taskScope({
        writes: [{ directories: [""] }],
        job: { allow: allow.map((text) => parseRule(text)), deny: [] },
        tools: [],
      });
    const facts = { isCaseInsensitive: false };
    for (const path of [
      "package.json",
      "a/b/package.json",
      "a/PACKAGE.json",
      "package.json.",
      "a/package.json::$DATA",
    ]) {
      expect([path, guardsScripts(scope([]), path, facts)]).toEqual([path, true]);
    }
    for (const path of ["package-lock.json", "a/mypackage.json", "package.json/x"]) {
      expect([path, guardsScripts(scope([]), path, facts)]).toEqual([path, false]);
    }
    expect(guardsScripts(scope(["Edit(a/package.json)"]), "a/package.json", facts)).toBe(false);
    expect(guardsScripts(scope(["Edit(a/**)"]), "a/package.json", facts)).toBe(true);
  });
});
