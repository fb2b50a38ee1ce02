import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toFailure } from "../../src/protocol/failure.ts";
import { openSandboxed, type Sandboxed } from "../support/sandboxed.ts";

let open: Sandboxed;
let closed: Sandboxed;
beforeAll(() => {
  open = openSandboxed();
  closed = openSandboxed({ isClosed: true });
});
afterAll(() => {
  open[Symbol.dispose]();
  closed[Symbol.dispose]();
});

describe.each([
  ["in a folder that everybody may enter", () => open],
  ["in a folder that its account may not enter", () => closed],
])("a command in bubblewrap, %s", (_, box) => {
  it("reports exit code, both streams, and the standard output by itself", async () => {
    const ended = await box().run("echo out; echo err >&2; exit 3", { stdoutBytes: 100 });
    expect(ended).toMatchObject({ exit: 3, signal: null, isTimedOut: false, outputBytes: 8 });
    expect(ended.output.toString()).toContain("err");
    expect(ended.stdout).toEqual({ bytes: Buffer.from("out\n"), isCut: false });
  });

  it("works in its tree, at a place that is the same for every tree", async () => {
    const { sandbox, tree } = box();
    expect(await box().say("pwd; echo made > made")).toBe(sandbox.placeOf(tree));
    expect(readFileSync(join(tree, "made"), "utf8")).toBe("made\n");
    expect(sandbox.placeOf(join(tree, "other"))).toBe(sandbox.placeOf(tree));
  });

  it("never is root, and has no capability and no way to one", async () => {
    const status = await box().say("grep -E '^(Uid|Cap.*|NoNewPrivs|Seccomp):' /proc/self/status");
    expect(status).not.toMatch(/^Uid:.*\b0\b/m);
    expect(status.match(/^Cap.*$/gm)).toHaveLength(5);
    expect(status).not.toMatch(/^Cap\w+:\s*0*[1-9a-f]/m);
    expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
    expect(status).toMatch(/^Seccomp:\s*2$/m);
  });

  it("gets no descriptor but the three standard ones", async () => {
    expect(await box().say("ls /proc/self/fd")).toBe("0\n1\n2\n3");
  });
});

describe("a command in bubblewrap", () => {
  it("that is a list meets no shell", async () => {
    expect(await open.say(["printf", "%s|", "$HOME", "a  b", "*", "'", ";"])).toBe("$HOME|a  b|*|'|;|");
  });

  it("is reported as a shell would where its program is missing or is none", async () => {
    writeFileSync(join(open.tree, "plain"), "text", { mode: 0o644 });
    const missing = await open.run(["no-such-program", "x"]);
    expect(missing).toMatchObject({ exit: 127, signal: null });
    expect(missing.output.toString()).toBe('"no-such-program": no such program\n');
    const plain = await open.run(["./plain"]);
    expect(plain).toMatchObject({ exit: 126 });
    expect(plain.output.toString()).toBe('"./plain": it may not be run\n');
    expect(await open.run("no-such-program")).toMatchObject({ exit: 127 });
    expect(await open.run([])).toMatchObject({ exit: 126 });
    expect(await open.run("echo a\0b")).toMatchObject({ exit: 126 });
    expect(await open.run("true", { env: { "A=B": "c" } })).toMatchObject({ exit: 126 });
  });

  it("may have more words than bubblewrap takes", async () => {
    const words = Array.from({ length: 12_000 }, (_, index) => `it's ${index} $x`);
    const run = ["sh", "-c", 'echo $#; shift 11999; echo "$1"', "sh", ...words];
    expect(await open.say(run)).toBe("12000\nit's 11999 $x");
    const missing = await open.run(["no-such-program", ...words]);
    expect(missing).toMatchObject({ exit: 127, output: Buffer.from('"no-such-program": no such program\n') });
  });

  it("that is longer than the system takes could not be run", async () => {
    const ended = await open.run(["true", "x".repeat(3_000_000)]);
    expect(ended).toMatchObject({ exit: 126 });
    expect(ended.output.toString()).toContain("longer than the system takes");
  });

  it("has its own variables and secrets, which no list of arguments shows, and nothing of ours", async () => {
    process.env.SHEAF_TEST_OWN = "ours";
    const seen = await open.say("env; cat /proc/1/environ /proc/1/cmdline | tr '\\0' '\\n'", {
      env: { EXTRA: "of the job", HOME: "/elsewhere" },
      secrets: { TOKEN: "s3cret-value" },
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    delete process.env.SHEAF_TEST_OWN;
    expect(seen).toMatch(/^EXTRA=of the job$/m);
    expect(seen).toMatch(/^HOME=\/home\/sheaf$/m);
    expect(seen).toMatch(/^TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01$/m);
    expect(seen.match(/s3cret-value/g)).toHaveLength(1);
    expect(seen).not.toMatch(/SHEAF_TEST_OWN|VITEST|npm_/);
  });

  it("cannot bring a library of its tree into what starts it", async () => {
    const env = { LD_PRELOAD: join(open.tree, "evil.so"), LD_AUDIT: join(open.tree, "evil.so") };
    const seen = await open.say("tr '\\0' '\\n' < /proc/1/environ", { env });
    expect(seen).not.toMatch(/^LD_/m);
  });

  it("reads what it was given to read, where that is, and changes nothing of it", async () => {
    const given = join(open.root, "given");
    mkdirSync(join(given, "inner"), { recursive: true });
    writeFileSync(join(given, "inner/file"), "read me");
    symlinkSync(given, join(open.root, "link"));
    const readable = [join(given, "inner"), given, join(open.root, "link"), join(open.root, "absent"), "/usr/lib"];
    const run = `cat ${given}/inner/file ${open.root}/link/inner/file; echo x > ${given}/inner/file`;
    const ended = await open.run(run, { readable });
    expect(ended.output.toString()).toMatch(/^read meread me.*Read-only file system/);
    expect(readFileSync(join(given, "inner/file"), "utf8")).toBe("read me");
  });

  it.each(["/", "/usr/..", "/etc", "/proc/self", "/home", "/tmp"])("is not given %s to read", async (folder) => {
    const thrown = await open.run("true", { readable: [folder] }).catch(toFailure);
    expect(thrown).toMatchObject({ code: "configuration", remedy: expect.any(String) });
  });

  it("cannot change what git keeps in its tree", async () => {
    using box = openSandboxed();
    writeFileSync(join(box.tree, ".git"), "gitdir: /somewhere\n");
    await box.run("echo x >> .git; rm -f .git; mv .git gone; ln -sf /tmp .git");
    expect(readFileSync(join(box.tree, ".git"), "utf8")).toBe("gitdir: /somewhere\n");
    expect(existsSync(join(box.tree, "gone"))).toBe(false);
  });

  it("is not shown what a link it left in place of .git leads to", async () => {
    using box = openSandboxed();
    mkdirSync(join(box.root, "other"));
    writeFileSync(join(box.root, "other/secret"), "of another tree");
    await box.run(`ln -s ${box.root}/other .git`);
    expect(await box.say("cat .git/secret")).not.toContain("of another tree");
  });

  it("is not run in a folder that is not there", async () => {
    const thrown = await open.run("true", { cwd: join(open.root, "nowhere") }).catch(toFailure);
    expect(thrown).toMatchObject({ code: "configuration", message: expect.stringContaining("nowhere") });
  });
});
