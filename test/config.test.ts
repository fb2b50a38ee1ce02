import { describe, expect, it } from "vitest";
import { type Machine, readConfig } from "../src/config.ts";

const machine: Machine = { platform: "linux", cwd: "/work", homedir: "/home/fallback", cores: 6 };
const read = (env: Record<string, string>, more: Partial<Machine> = {}) => readConfig(env, { ...machine, ...more });

describe("the environment", () => {
  it("that says nothing gives the platform's data folder and the embedded database", () => {
    expect(read({})).toEqual({
      home: "/home/fallback/.local/share/sheaf",
      userHome: "/home/fallback",
      path: "",
      isCi: false,
      noColor: false,
      ci: {},
      variable: expect.any(Function),
      otel: {},
      threads: 6,
    });
    expect(read({ HOME: "/Users/a" }, { platform: "darwin" }).home).toBe("/Users/a/Library/Application Support/sheaf");
    expect(read({ LOCALAPPDATA: "/local" }, { platform: "win32" }).home).toBe("/local/sheaf");
  });

  it("counts an empty variable as not set", () => {
    const names = [
      "SHEAF_HOME",
      "DATABASE_URL",
      "CI",
      "NO_COLOR",
      "HOME",
      "TRACEPARENT",
      "OTEL_SERVICE_NAME",
      "COLUMNS",
      "XDG_DATA_HOME",
    ];
    const empty = read(Object.fromEntries(names.map((name) => [name, ""])));
    expect(empty).toEqual({ ...read({}), variable: expect.any(Function) });
    expect([empty.variable("HOME"), read({ NPM_TOKEN: "tulip" }).variable("NPM_TOKEN")]).toEqual([undefined, "tulip"]);
  });

  it("names the data folder, from where the command was started if it is relative", () => {
    expect(read({ SHEAF_HOME: "/data/sheaf" }).home).toBe("/data/sheaf");
    expect(read({ SHEAF_HOME: "data" }).home).toBe("/work/data");
    expect(read({ HOME: "/h", XDG_DATA_HOME: "/xdg" }).home).toBe("/xdg/sheaf");
    expect(read({ HOME: "/h", XDG_DATA_HOME: "relative" }).home).toBe("/h/.local/share/sheaf");
    expect(() => read({}, { homedir: "" })).toThrow(expect.objectContaining({ code: "configuration" }));
    expect(read({ SHEAF_HOME: "/data" }, { homedir: "" }).home).toBe("/data");
  });

  it("names the files that a CI system reads, from where the command was started", () => {
    const files = {
      GITHUB_STEP_SUMMARY: "/runner/summary",
      GITHUB_OUTPUT: "/runner/output",
      SHEAF_DOTENV: "sheaf.env",
    };
    const ci = { stepSummary: "/runner/summary", stepOutput: "/runner/output", dotenv: "/work/sheaf.env" };
    expect(read(files).ci).toEqual(ci);
  });

  it("takes a PostgreSQL address only, and never repeats what is in it", () => {
    expect(read({ DATABASE_URL: "postgresql://u:p@h/d" }).databaseUrl).toBe("postgresql://u:p@h/d");
    expect(() => read({ DATABASE_URL: "mysql://u:hunter2@h/d" })).toThrow(
      expect.objectContaining({ code: "configuration", message: expect.not.stringContaining("hunter2") }),
    );
  });

  it("says whether to ask and to colour", () => {
    expect(["true", "1", "woodpecker", "false", "0"].map((CI) => read({ CI }).isCi)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect([read({ NO_COLOR: "0" }).noColor, read({ TERM: "dumb" }).noColor, read({ TERM: "xterm" }).noColor]).toEqual([
      true,
      true,
      false,
    ]);
    expect([read({ COLUMNS: "90" }).columns, read({ COLUMNS: "wide" }).columns]).toEqual([90, undefined]);
  });

  it("carries the export's variables, and a caller's trace if it is well formed", () => {
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://x", OTHER: "y" }).otel).toEqual({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://x",
    });
    const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(read({ TRACEPARENT: good }).traceparent).toBe(good);
    for (const bad of [
      "00-x",
      good.toUpperCase(),
      good.replace(/[1-9a-f]{2}-b7/, "zz-b7"),
      `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    ]) {
      expect(read({ TRACEPARENT: bad })).not.toHaveProperty("traceparent");
    }
  });
});
