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
    for (const glob of ["app/(shop)/[[]id]/page.tsx", "\\!important", "#notes\\ "]) {
      expect(parseRule(`Read(${glob})`)).toMatchObject({ paths: { glob } });
    }
  });

  it("about commands is a program's words, whole or as a beginning", () => {
    const read = (text: string) => parseRule(text);
    expect(read("Bash")).toEqual({ id: "Bash", tool: "Bash" });
    expect(read("Bash(npm test)")).toMatchObject({ words: ["npm", "test"], isWhole: true });
    for (const text of ["Bash(npm run:*)", "Bash(npm run *)", "Bash( npm  run  *)"]) {
      expect(read(text)).toEqual({ id: text, tool: "Bash", words: ["npm", "run"] });
    }
    expect(read("Bash(git show HEAD~1 ^main)")).toMatchObject({ words: ["git", "show", "HEAD~1", "^main"] });
    expect(read("Bash(test a = b)")).toMatchObject({ words: ["test", "a", "=", "b"] });
  });

  it("about hosts is a name, or all names below one", () => {
    expect(parseRule("WebFetch")).toEqual({ id: "WebFetch", tool: "WebFetch" });
    expect(parseRule("WebFetch(domain:Example.COM)")).toMatchObject({ domain: "example.com" });
    expect(parseRule("WebFetch(domain:*.example.com)")).toMatchObject({ domain: "*.example.com" });
    expect(parseRule("WebFetch(domain:bücher.example)")).toMatchObject({ domain: "xn--bcher-kva.example" });
  });

  it("about servers and agents names one of them", () => {
    expect(parseRule("mcp__files")).toMatchObject({ tool: "Mcp", server: "files" });
    expect(parseRule("mcp__files__read__all")).toMatchObject({ server: "files", name: "read__all" });
    expect(parseRule("Agent")).toEqual({ id: "Agent", tool: "Agent" });
    expect(parseRule("Agent(fixer-2)")).toMatchObject({ tool: "Agent", name: "fixer-2" });
  });

  it("for a tool by another name says which it is", () => {
    expect(refusalOf("Write(x)").remedy).toContain("Edit");
    expect(refusalOf("read(x)").remedy).toContain("Read");
    expect(refusalOf("Task(x)").remedy).toContain("Agent");
    expect(refusalOf("Mcp").remedy).toContain("mcp__SERVER");
  });

  it("that its tool could not hold is refused with what to write", () => {
    const remedies: Readonly<Record<string, string>> = {
      "Bash(*)": "Bash alone",
      "Bash(:*)": "Bash alone",
      "Bash(npm test*)": "Bash(npm test:*)",
      "Bash(npm test : *)": "Bash(npm test:*)",
      "Bash(npm test: *)": "Bash(npm test:*)",
      "Bash(git * push)": "Bash(git:*)",
      "Bash(npm test; rm -rf /)": "each command",
      "Bash(npm test && ls:*)": "each command",
      "Bash(echo $HOME)": "each command",
      "Bash(echo `id`)": "each command",
      "Bash(cat < x)": "each command",
      "Bash(rg 'a b')": "bare words",
      "Bash(CI=1 npm test)": "leave it out",
      "Bash(npm test\nls)": "a rule for each",
      "WebFetch(https://example.com/docs)": "WebFetch(domain:example.com)",
      "WebFetch(example.com)": "WebFetch(domain:example.com)",
      "WebFetch(domain:example.com:443)": "WebFetch(domain:example.com)",
      "WebFetch(domain:*)": "WebFetch alone",
      "mcp__files__read(path)": "mcp__files__read",
      "Agent(fixer,writer)": "a rule for each",
      "Agent(*)": "Agent alone",
    };
    for (const [text, remedy] of Object.entries(remedies)) {
      expect([text, refusalOf(text).remedy]).toEqual([text, expect.stringContaining(remedy)]);
    }
  });

  it("that nothing could ever match is refused", () => {
    const commands = ["Bash()", "Bash(**)", "Bash(ls ?)", "Bash(ls {a,b})", "Bash(ls ~/x)", "Bash(a\u00a0b)"];
    const unseen = ["Bash(a\u200db)", "Bash(a\u202eb)", "Bash(\ud800)", "Bash(a\0b)", "Bash(a\u001bb)"];
    const hosts = ["10.0.0.0/8", "10.0.0.1", "[::1]", "::1", "0x7f.1", "2130706433", "a*.com", "*.*.com", "x..com"];
    const web = [...hosts, "-x.com", "a b", "", "http://", "x.com,y.com", "é\ud800"].map(
      (each) => `WebFetch(domain:${each})`,
    );
    const servers = ["mcp__", "mcp____x", "mcp__a__", "mcp__*", "mcp__*__b", "mcp__a__b*", "mcp__a()", "Agent(a b)"];
    const git = ["Edit(.git/**)", "Read(**/.git/x)", "Edit(.GIT/hooks)", "Read(src/.git)", "Read(git~1/x)"];
    for (const text of [...commands, ...unseen, ...web, ...servers, ...git]) {
      const fault = refusalOf(text);
      expect([text, fault.code, fault.remedy !== undefined]).toEqual([text, "rule", true]);
    }
    expect(parseRule("Edit(.gitignore)")).toMatchObject({ tool: "Edit" });
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
