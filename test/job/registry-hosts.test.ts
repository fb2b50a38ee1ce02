import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ecosystems } from "../../src/job/registry-ecosystems.ts";
import { isRegistryConfiguration, registryHosts } from "../../src/job/registry-hosts.ts";

/** Files by path; an empty text is one that nobody reads. */
function hostsOf(files: Readonly<Record<string, string>>): string[] {
  const texts = new Map(Object.entries(files).filter(([path]) => isRegistryConfiguration(path)));
  return registryHosts({ paths: Object.keys(files), texts }).map((host) => host.replace(/:443$/, ""));
}

describe("the registries of a repository", () => {
  it.each<[what: string, files: Record<string, string>, hosts: string[]]>([
    ["nothing", { "README.md": "" }, []],
    ["npm", { "package.json": "" }, ["registry.npmjs.org", "registry.yarnpkg.com"]],
    [
      "npm with a registry of its own",
      {
        "package.json": "",
        ".npmrc": "registry = https://npm.corp.example:8443/a/\n//npm.corp.example/:_authToken=x\n",
      },
      ["npm.corp.example:8443"],
    ],
    [
      "npm with one for a scope",
      { "a/package.json": "", "a/.npmrc": "@corp:registry=http://npm.corp.example\n" },
      ["npm.corp.example:80", "registry.npmjs.org", "registry.yarnpkg.com"],
    ],
    [
      "yarn",
      {
        "package.json": "",
        ".yarnrc.yml":
          'npmRegistryServer: "https://y.example"\nnpmScopes:\n  a:\n    npmRegistryServer: https://z.example\n',
      },
      ["y.example", "z.example"],
    ],
    ["yarn 1", { "package.json": "", ".yarnrc": 'registry "https://y.example"\n' }, ["y.example"]],
    ["bun", { "package.json": "", "bunfig.toml": '[install]\nregistry = "https://b.example"\n' }, ["b.example"]],
    ["pip", { "requirements.txt": "flask\n" }, ["files.pythonhosted.org", "pypi.org"]],
    [
      "pip with another index",
      { "requirements-dev.txt": "--index-url https://p.example/simple\n--extra-index-url https://q.example/\n" },
      ["p.example", "q.example"],
    ],
    [
      "poetry with one more source",
      { "pyproject.toml": '[[tool.poetry.source]]\nname = "x"\nurl = "https://p.example/simple"\n' },
      ["files.pythonhosted.org", "p.example", "pypi.org"],
    ],
    [
      "uv with an index by default",
      { "pyproject.toml": '[[tool.uv.index]]\nurl = "https://p.example/simple"\ndefault = true\n' },
      ["p.example"],
    ],
    ["pipenv", { Pipfile: '[[source]]\nurl = "https://pypi.org/simple"\n' }, ["files.pythonhosted.org", "pypi.org"]],
    ["cargo", { "Cargo.toml": "" }, ["crates.io", "index.crates.io", "static.crates.io"]],
    [
      "cargo with another source",
      {
        "Cargo.toml": "",
        ".cargo/config.toml":
          '[source.crates-io]\nreplace-with = "m"\n[source.m]\nregistry = "sparse+https://m.example/"\n[registries.n]\nindex = "https://n.example/i"\n',
      },
      ["m.example", "n.example"],
    ],
    ["go", { "go.mod": "" }, ["proxy.golang.org", "sum.golang.org"]],
    [
      "maven",
      {
        "pom.xml":
          "<distributionManagement><repository><url>https://push.example</url></repository></distributionManagement><repositories><repository><url> https://m.example/r </url></repository></repositories>",
      },
      ["m.example", "repo.maven.apache.org", "repo1.maven.org"],
    ],
    [
      "gradle",
      {
        "build.gradle.kts": 'repositories { google(); maven { url = uri("https://g.example/m") } }',
        "gradle/wrapper/gradle-wrapper.properties":
          "distributionUrl=https\\://services.gradle.org/distributions/g.zip\n",
      },
      [
        ...["dl.google.com", "g.example", "maven.google.com", "plugins-artifacts.gradle.org", "plugins.gradle.org"],
        ...["repo.maven.apache.org", "repo1.maven.org", "services.gradle.org"],
      ],
    ],
    ["bundler", { Gemfile: "source 'https://rubygems.org'\n" }, ["index.rubygems.org", "rubygems.org"]],
    ["bundler elsewhere", { Gemfile: 'source "https://gems.example"\n' }, ["gems.example"]],
    ["composer", { "composer.json": "{}" }, ["packagist.org", "repo.packagist.org"]],
    [
      "nuget without the usual one",
      {
        "a.csproj": "",
        "nuget.config": '<packageSources><clear /><add key="x" value="https://n.example/v3" /></packageSources>',
      },
      ["n.example"],
    ],
    ["hex", { "mix.exs": "" }, ["builds.hex.pm", "hex.pm", "repo.hex.pm"]],
    [
      "copies of others",
      { "node_modules/a/package.json": "", "vendor/b/go.mod": "", "test/fixtures/Cargo.toml": "" },
      [],
    ],
  ])("are, for %s, what its own files say", (_, files, hosts) => expect(hostsOf(files)).toEqual(hosts));

  it.each([
    "http://10.0.0.1/",
    "https://[::1]/",
    `https://${"$"}{HOST}/`,
    "file:///tmp",
    "https://user:pw@x.example@y/",
  ])("never hold an address or what waits for a variable: %s", (url) => {
    const hosts = hostsOf({ "package.json": "", ".npmrc": `@a:registry=${url}\n` });
    expect(hosts.filter((host) => !host.startsWith("registry."))).toEqual(url.includes("user") ? ["y"] : []);
  });

  it("are read out of whatever text it is, and never throw", () => {
    const paths = ["pyproject.toml", ".npmrc", "pom.xml", "build.gradle", "nuget.config", ".cargo/config", "Gemfile"];
    const words = fc.constantFrom(
      "<repository>",
      "<url>",
      "maven {",
      "registry=",
      "[[tool.uv.index]]",
      "https://a",
      "\n",
      '"',
    );
    const text = fc
      .array(fc.oneof(words, fc.string({ maxLength: 5 })), { maxLength: 30 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.constantFrom(...paths), text, (path, content) => {
        const manifests = { "package.json": "", "a.csproj": "", "Cargo.toml": "" };
        for (const host of hostsOf({ ...manifests, [path]: content })) expect(host).toMatch(/^[a-z0-9._-]+(?::\d+)?$/);
      }),
    );
  });

  it("are looked for in the first 64 kB of a file", () => {
    const late = (blank: number) => ({
      "package.json": "",
      ".npmrc": `${"#\n".repeat(blank)}registry=https://r.example\n`,
    });
    expect(hostsOf(late(10_000))).toEqual(["r.example"]);
    expect(hostsOf(late(40_000))).not.toContain("r.example");
  });

  it.each([
    ...['"@', "'@\n", "\n@a", "\n@a:", " ", "\t", "\n", "a", "a\n", "registry", "registry\n", "\nregistry=", "\nurl="],
    ...["maven (", "maven ", 'maven {"https:', "google ", "source ", "source (", "\nsource '", "\nsource\n"],
    ...["value=", 'value="', "<packageSources>", "<repository><url>", "<distributionManagement>", '"url":', '"url" '],
    ...["https://", "\n-i ", "\n[[source]]\n", "[a.", "[", "{a=", '"""', "\na.b.c=1\n", "\nxUrl =", "\n-f http://a"],
  ])("are found at once in hundreds of thousands of characters made of %j", (piece) => {
    // A quadratic expression would take minutes here, and end this test by the runner's limit.
    const text = piece.repeat(Math.ceil(400_000 / piece.length));
    for (const { configuration } of ecosystems) {
      for (const { urls } of configuration) expect(urls(text)).toHaveProperty("urls");
    }
  });
});
