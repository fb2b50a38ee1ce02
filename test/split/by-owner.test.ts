import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCodeowners } from "../../src/split/codeowners.ts";
import { planSplit } from "../../src/split/plan-split.ts";
import { filesOf, jobOf, viewOf, writersOf } from "./view.ts";

const owner = (text: string, path: string, place = ".github/CODEOWNERS") => readCodeowners({ path: place, text })(path);

describe("CODEOWNERS as GitHub reads it", () => {
  const text = `# a comment
*       @global-owner1 @global-owner2 # inline
*.js    @js-owner
*.go docs@example.com
/build/logs/ @doctocat
docs/*  docs@example.com
apps/ @octocat
/docs/ @doctocat
/apps/github
**/logs @octocat
a\\ b/ @spaced
!kept.txt @nobody
file[1].txt @range
`;

  it.each([
    ["README.md", "@global-owner1"],
    ["deep/x.js", "@js-owner"],
    ["build/logs/x/y.txt", "@octocat"],
    ["other/build/logs.txt", "@global-owner1"],
    ["x/docs/a.md", "@global-owner1"],
    ["x/apps/a/b", "@octocat"],
    ["docs/a/b.md", "@doctocat"],
    ["apps/github", undefined],
    ["apps/github/x", undefined],
    ["deeply/nested/logs/x", "@octocat"],
    ["a b/x", "@spaced"],
    ["kept.txt", "@global-owner1"],
    ["file1.txt", "@global-owner1"],
  ])("gives %s to %s", (path, expected) => {
    expect(owner(text, path)).toBe(expected);
  });

  it("takes a star at the end for one name", () => {
    expect(owner("docs/* @a", "docs/x.md")).toBe("@a");
    expect(owner("docs/* @a", "docs/x/y.md")).toBeUndefined();
    expect(owner("* @a\r\n\r\n", "x/y")).toBe("@a");
  });
});

describe("many lines and many files", () => {
  it("give what looking at every line from the last one gives", () => {
    const name = fc.constantFrom("a", "b", "*", "**", "c.js", "*.js");
    const pattern = fc
      .tuple(fc.constantFrom("", "/"), fc.array(name, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "/"))
      .map(([start, names, end]) => `${start}${names.join("/")}${end}`);
    const path = fc
      .array(fc.constantFrom("a", "b", "c.js"), { minLength: 1, maxLength: 4 })
      .map((one) => one.join("/"));
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 12 }), path, (patterns, file) => {
        const alone = (one: string) => owner(`${one} @x`, file) !== undefined;
        const expected = patterns.findLastIndex(alone);
        const text = patterns.map((one, at) => `${one} @o${at}`).join("\n");
        expect(owner(text, file)).toBe(expected < 0 ? undefined : `@o${expected}`);
        const matches = (glob: string) => viewOf([file]).matches({ glob }, file);
        for (const one of patterns) if (!/\/\*$/.test(one)) expect(alone(one)).toBe(matches(one));
      }),
      { numRuns: 500 },
    );
  });
});

describe("CODEOWNERS with sections, as GitLab reads it", () => {
  const text = `* @all
[Documentation] @docs
*.md
guide.md @writer
^[Optional][2] @maybe
*.rb
[DOCUMENTATION]
!secret.md
`;

  it.each([
    ["x.md", "@all"],
    ["x.rb", "@all"],
  ])("gives %s to the first section that has an owner, %s", (path, expected) => {
    expect(owner(text, path)).toBe(expected);
  });

  it("gives lines without an owner that of their section, joins sections of one name, and takes exclusions", () => {
    const sections = text.replace("* @all\n", "");
    expect(owner(sections, "x.md")).toBe("@docs");
    expect(owner(sections, "guide.md")).toBe("@writer");
    expect(owner(sections, "x.rb")).toBe("@maybe");
    expect(owner(sections, "secret.md")).toBeUndefined();
    expect(owner(sections, "x.c")).toBeUndefined();
  });
});

describe("split by owner", () => {
  const files = ["README.md", "docs/a.md", "docs/b.md", "lib/a.js", "lib/b.js", "lib/c.md", "web/x.css"];
  const codeowners = { path: "CODEOWNERS", text: "*.md @docs\n*.js @org/code @lead\n" };
  const view = viewOf(files, { codeowners });

  it("makes a task of each owner and one of the files of nobody", () => {
    const { tasks } = planSplit(jobOf({ by: "owner" }), view);
    expect(filesOf(tasks)).toEqual({
      docs: ["README.md", "docs/a.md", "docs/b.md", "lib/c.md"],
      "org-code": ["lib/a.js", "lib/b.js"],
      unowned: ["web/x.css"],
    });
    expect(tasks.map((task) => task.item)).toMatchObject([
      { owner: "@docs" },
      { owner: "@org/code" },
      { name: "unowned" },
    ]);
    for (const path of files) expect(writersOf(path, tasks, view)).toHaveLength(1);
    expect(writersOf("docs/new.md", tasks, view)).toEqual(["docs"]);
    expect(writersOf("lib/new.md", tasks, view)).toEqual([]);
  });

  it("refuses what does not fit, and a base without the file", () => {
    expect(() => planSplit(jobOf({ by: "owner", files: 3 }), view)).toThrow(/@docs has 4/);
    expect(() => planSplit(jobOf({ by: "owner", tasks: 2 }), view)).toThrow(/3 owners make 3 tasks/);
    expect(() => planSplit(jobOf({ by: "owner" }), viewOf(files))).toThrow(/needs a CODEOWNERS file/);
  });
});
