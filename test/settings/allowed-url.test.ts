import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fetchUrlProblem, isAllowedUrl } from "../../src/settings/allowed-url.ts";

describe("a repository's address", () => {
  const entries = [
    "https://github.com/acme/",
    "https://git.example.com/one.git",
    "git@github.com:acme/",
    "ssh://git@host/x",
  ];

  it.each([
    "https://github.com/acme/app",
    "https://github.com/acme/app.git",
    "https://github.com/acme/deep/er/app",
    "https://git.example.com/one",
    "https://git.example.com/one.git",
    "https://git.example.com/one/",
    "git@github.com:acme/app.git",
    "ssh://git@host/x.git",
  ])("%s is allowed by an entry that is equal, or that it lies below", (url) => {
    expect(isAllowedUrl(url, entries)).toBe(true);
  });

  it.each([
    "https://github.com/acme",
    "https://github.com/acme/",
    "https://github.com/acmeevil/app",
    "https://github.com.evil.example/acme/app",
    "https://github.com@evil.example/acme/app",
    "https://user:secret@github.com/acme/app",
    "https://github.com/acme/../other/app",
    "https://github.com/acme/%2e%2e/other/app",
    "https://github.com/acme/./app",
    "https://github.com/acme//app",
    "https://GITHUB.com/acme/app",
    "http://github.com/acme/app",
    "https://github.com/acme/app\n--upload-pack=x",
    "https://github.com/acme/a b",
    "git@github.com:acme/../other",
    "git@github.com:/acme/app",
    "ext::sh -c touch% pwned",
    "file:///srv/app",
    "/srv/app",
    "--upload-pack=touch pwned",
    "-oProxyCommand=x@host:acme/app",
    "",
  ])("%j is not", (url) => {
    expect(isAllowedUrl(url, entries)).toBe(false);
  });

  it("is never allowed by nothing, and by an entry only when it begins with it", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), fc.constantFrom(...entries), (url, entry) => {
        expect(isAllowedUrl(url, [])).toBe(false);
        if (isAllowedUrl(url, [entry])) expect(url.startsWith(entry.replace(/(\.git)?$/, ""))).toBe(true);
      }),
    );
  });

  it.each([
    ["https://github.com/acme/", undefined],
    ["git@github.com:acme/", undefined],
    ["ssh://git@[::1]:2222/x.git", undefined],
    ["https://github.com/acme/*", "wildcard"],
    ["https://github.com/%61cme/", "encoded"],
    ["https://github.com/a/../b/", ".."],
    ["file:///srv/", "no address to fetch from"],
    ["https://u:p@github.com/x", "no address to fetch from"],
    ["https://github.com", "no address to fetch from"],
  ])("%s as a setting: %s", (entry, problem) => {
    const found = fetchUrlProblem(entry);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(problem);
  });
});
