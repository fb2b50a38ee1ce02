import {
  type Configured,
  fromBundler,
  fromCargo,
  fromGradle,
  fromMaven,
  fromNpmrc,
  fromNuget,
  fromPipfile,
  fromPyproject,
  fromRequirements,
  fromYarnrc,
  urlsAfter,
} from "./registry-urls.ts";

/** What is known of each package manager: the files that show its use, its registries, and where others are written. */
export interface Ecosystem {
  manifests: RegExp;
  /** Where it gets packages when nobody says otherwise. */
  standard: readonly string[];
  configuration: readonly { file: RegExp; urls(text: string): Configured }[];
  /** Of a registry that serves from more than one host, the others. */
  companions?: Readonly<Record<string, readonly string[]>>;
}

const named = (...names: string[]) => new RegExp(`(?:^|/)(?:${names.join("|")})$`);

export const ecosystems: readonly Ecosystem[] = [
  {
    manifests: named("package\\.json"),
    standard: ["registry.npmjs.org", "registry.yarnpkg.com"],
    configuration: [
      { file: named("\\.npmrc"), urls: fromNpmrc },
      { file: named("\\.yarnrc"), urls: fromYarnrc },
      { file: named("\\.yarnrc\\.yml"), urls: urlsAfter(/^[ \t]*npmRegistryServer:/m, /^npmRegistryServer:/m) },
      {
        file: named("pnpm-workspace\\.yaml"),
        urls: urlsAfter(/^[ \t]*(?:registry|default|["']?@[^:\r\n]{1,214}):/m, /^registry:/m),
      },
      {
        file: named("bunfig\\.toml"),
        urls: urlsAfter(/^[ \t]*(?:registry|url|["']?@?[\w-]+["']?)[ \t]*=/m, /^registry[ \t]*=/m),
      },
    ],
  },
  { manifests: named("deno\\.jsonc?"), standard: ["jsr.io", "npm.jsr.io", "registry.npmjs.org"], configuration: [] },
  {
    manifests: named(
      "(?:[\\w.-]+-)?requirements[^/]*\\.(?:txt|in)",
      "pyproject\\.toml",
      "setup\\.(?:py|cfg)",
      "Pipfile",
    ),
    standard: ["pypi.org"],
    configuration: [
      { file: named("(?:[\\w.-]+-)?requirements[^/]*\\.(?:txt|in)", "constraints\\.txt"), urls: fromRequirements },
      { file: named("pyproject\\.toml", "uv\\.toml"), urls: fromPyproject },
      { file: named("Pipfile"), urls: fromPipfile },
    ],
    companions: { "pypi.org": ["files.pythonhosted.org"] },
  },
  {
    manifests: named("Cargo\\.toml"),
    standard: ["index.crates.io"],
    configuration: [{ file: named("\\.cargo/config(?:\\.toml)?"), urls: fromCargo }],
    companions: { "index.crates.io": ["static.crates.io", "crates.io"] },
  },
  { manifests: named("go\\.(?:mod|work)"), standard: ["proxy.golang.org", "sum.golang.org"], configuration: [] },
  {
    manifests: named("pom\\.xml"),
    standard: ["repo.maven.apache.org", "repo1.maven.org"],
    configuration: [
      { file: named("pom\\.xml", "\\.mvn/settings\\.xml"), urls: fromMaven },
      { file: named("maven-wrapper\\.properties"), urls: urlsAfter(/^[ \t]*\w+Url\s*=/m) },
    ],
  },
  {
    manifests: named("(?:build|settings)\\.gradle(?:\\.kts)?"),
    standard: ["repo.maven.apache.org", "repo1.maven.org", "plugins.gradle.org", "plugins-artifacts.gradle.org"],
    configuration: [
      { file: named("(?:build|settings)\\.gradle(?:\\.kts)?"), urls: fromGradle },
      { file: named("gradle-wrapper\\.properties"), urls: urlsAfter(/^[ \t]*distributionUrl\s*=/m) },
    ],
    companions: { "dl.google.com": ["maven.google.com"] },
  },
  {
    manifests: named("Gemfile", "gems\\.rb", "[^/]+\\.gemspec"),
    standard: ["rubygems.org"],
    configuration: [{ file: named("Gemfile", "gems\\.rb"), urls: fromBundler }],
    companions: { "rubygems.org": ["index.rubygems.org"] },
  },
  {
    manifests: named("composer\\.json"),
    standard: ["repo.packagist.org", "packagist.org"],
    configuration: [{ file: named("composer\\.json"), urls: urlsAfter(/"url"\s*:/) }],
  },
  {
    manifests: named("[^/]+\\.(?:cs|fs|vb)proj", "packages\\.config", "Directory\\.Packages\\.props"),
    standard: ["api.nuget.org"],
    configuration: [{ file: named("[Nn]u[Gg]et\\.[Cc]onfig"), urls: fromNuget }],
  },
  { manifests: named("mix\\.exs"), standard: ["repo.hex.pm", "hex.pm", "builds.hex.pm"], configuration: [] },
  { manifests: named("pubspec\\.yaml"), standard: ["pub.dev"], configuration: [] },
];
