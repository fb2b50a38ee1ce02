import { describe, expect, it } from "vitest";
import { parseRule } from "../../src/permission/rule.ts";
import { Fault } from "../../src/protocol/failure.ts";

function refusalOf(text: string): Fault {
  try {
    parseRule(text);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error(`${JSON.stringify(text)} was accepted`);
}

describe("a rule", () => {
  it("is a tool alone, which means every path, or a tool and a pattern", () => {
    expect(parseRule("Read")).toEqual({ id: "Read", tool: "Read", paths: { directories: [""] } });
    expect(parseRule(" Edit(src/**) ")).toEqual({ id: "Edit(src/**)", tool: "Edit", paths: { glob: "src/**" } });
    expect(parseRule("Read(app/(shop)/[[]id]/page.tsx)").paths).toEqual({ glob: "app/(shop)/[[]id]/page.tsx" });
    expect(parseRule("Read(\\!important)").paths).toEqual({ glob: "\\!important" });
    expect(parseRule("Read(#notes\\ )").paths).toEqual({ glob: "#notes\\ " });
  });

  it("for a tool that cannot be enforced yet says so", () => {
    for (const text of ["Bash(npm test:*)", "Bash", "WebFetch(domain:x)", "mcp__a__b", "Agent(fixer)"]) {
      expect(refusalOf(text).message).toContain("not built yet");
    }
    expect(refusalOf("Write(x)").remedy).toContain("Edit");
    expect(refusalOf("read(x)").remedy).toContain("Read");
  });

  it("that could never match, or means a path of the machine, is refused with a remedy", () => {
    const shapes = [
      "",
      "Read()",
      "Read(  )",
      "Read(a",
      "Read a)",
      "Read(a(b)",
      "Read(a))",
      "Read(a) b",
      "(a)",
      "Read(/)",
    ];
    const paths = [
      "Read(!a)",
      "Read(a\0)",
      "Read(//etc/x)",
      "Read(~/x)",
      "Read(C:\\x)",
      "Read(c:/x)",
      "Read(\\\\srv\\x)",
    ];
    const dead = ["Read(../x)", "Read(a/../b)", "Read(a/..)", "Read(./a)", "Read(a/./b)", "Read(a//b)", "Read(a\\)"];
    const classes = ["Read([a)", "Read([a/b])", "Read([[:nope:]])", "Read([])", "Read(\ud800)", "Read(\\.\\./x)"];
    for (const text of [...shapes, ...paths, ...dead, ...classes]) {
      const fault = refusalOf(text);
      expect([text, fault.code, fault.remedy !== undefined]).toEqual([text, "rule", true]);
    }
  });
});
