import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type ListenOptions } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judgedCalls, refusedCalls } from "../../src/sandbox/seccomp-syscalls.ts";
import { openSandboxed, type Sandboxed } from "../support/sandboxed.ts";

const processor = process.arch === "arm64" ? "arm64" : "x64";
let box: Sandboxed;
beforeAll(() => {
  box = openSandboxed();
});
afterAll(() => box[Symbol.dispose]());

/** Everything a hostile command gets back for a system call: the number of the error, 0 where it was let through. */
function call(number: number, ...words: (number | string)[]): string {
  return `$! = 0; my $r = syscall(${[number, ...words].join(", ")}); printf "%d\\n", $r == -1 ? $! + 0 : 0;`;
}
const perl = (script: string) => box.say(["perl", "-e", script]);
const notPermitted = "1";

describe("what a command in bubblewrap cannot reach", () => {
  it("is a file of the machine: not by its path, a link, a way up, or another process", async () => {
    const beside = join(box.root, "beside");
    writeFileSync(beside, "beside the tree", { mode: 0o666 });
    mkdirSync(join(box.root, "other"), { recursive: true });
    writeFileSync(join(box.root, "other/file"), "another checkout");
    symlinkSync(beside, join(box.tree, "link"));
    symlinkSync("/etc/shadow", join(box.tree, "shadow"));
    const paths = [beside, "link", "shadow", "../beside", `/proc/1/root${beside}`, `/proc/self/cwd/../beside`];
    paths.push(join(box.root, "other/file"), join(box.root, "data"), "/etc/shadow", "/etc/ssh", "/etc/machine-id");
    paths.push("/root", "/home/operator", "/var/log", "/run/docker.sock", "/sys/kernel", "/boot", "/etc/hostname");
    const list = paths.map((path) => `'${path}'`).join(" ");
    expect(await box.say(`for p in ${list}; do head -c 99 "$p"/. "$p"; find "$p" -mindepth 1; done 2>/dev/null`)).toBe(
      "",
    );
    await box.run(`for p in ${list}; do echo x > "$p"; rm -rf "$p"; done`);
    expect(readFileSync(beside, "utf8")).toBe("beside the tree");
    expect(readFileSync(join(box.root, "other/file"), "utf8")).toBe("another checkout");
    expect(existsSync("/etc/shadow")).toBe(true);
  });

  it("is written nowhere but in its tree, /tmp and its home", async () => {
    const places = "/ /usr /usr/bin /etc /etc/ssl /dev /run /var /proc /proc/sys/kernel /home /bin";
    expect(await box.say(`for p in ${places}; do touch $p/made 2>/dev/null && echo $p; done`)).toBe("");
    expect(await box.say("touch /tmp/a ~/a /dev/shm/a a && ls /tmp /home/sheaf")).toBe("/home/sheaf:\na\n\n/tmp:\na");
    expect(await box.say("ls -A /tmp ~")).toBe("/home/sheaf:\n\n/tmp:");
  });

  it("is a setting of the kernel", async () => {
    const files =
      "/proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/sys/vm/drop_caches";
    const more = "/proc/sys/user/max_user_namespaces /proc/sys/net/ipv4/ip_forward";
    expect(await box.say(`for p in ${files} ${more}; do (echo 0 > $p) 2>/dev/null && echo $p; done`)).toBe("");
  });

  it("is another process, of the machine or of another command", async () => {
    const other = spawn("sleep", ["60"]);
    const neighbour = box.run("sleep 60 & wait", { timeoutMs: 3_000 });
    const seen = await box.say(`ls /proc | grep -c '^[0-9]'; kill -9 ${other.pid} ${process.pid} -1; echo on`);
    expect(Number(seen.split("\n")[0])).toBeLessThan(7);
    expect(other.exitCode ?? other.signalCode).toBeNull();
    other.kill();
    expect(await neighbour).toMatchObject({ isTimedOut: true });
  });

  it("is a debugger's hold on a process, nor the end of a process with its parent", async () => {
    const { ptrace } = refusedCalls;
    const { prctl } = judgedCalls;
    expect(await perl(call(ptrace?.[processor] ?? 0, 16, 1, 0, 0))).toBe(notPermitted);
    // Asked to die with its parent by signal 15, and then what it would die by: whoever could set that could clear it.
    const script = `syscall(${prctl[processor]}, 1, 15); $x = pack("i", 0); syscall(${prctl[processor]}, 2, $x); print unpack("i", $x);`;
    expect(await perl(script)).toBe("9");
  });

  it("is a socket of the machine: no port, no name, no file", async () => {
    const path = join(box.root, "socket");
    const listening = async (at: ListenOptions) => {
      const server = createServer((socket) => socket.end("reached"));
      await once(server.listen(at), "listening");
      return server;
    };
    const abstract = `\0sheaf-test-${process.pid}`;
    const servers = await Promise.all([{ port: 0, host: "127.0.0.1" }, { path }, { path: abstract }].map(listening));
    const address = servers[0]?.address();
    const port = typeof address === "object" ? address?.port : 0;
    const script = `use Socket; sub try { my ($d, $a) = @_; socket(my $s, $d, SOCK_STREAM, 0) or return; connect($s, $a) and print "reached\\n"; }
      try(PF_INET, pack_sockaddr_in(${port}, inet_aton("127.0.0.1")));
      try(PF_UNIX, pack_sockaddr_un("${path}")); try(PF_UNIX, pack("Sa*", 1, "\\0sheaf-test-${process.pid}"));`;
    expect(await perl(script)).toBe("");
    expect(await box.say("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '")).toBe("lo");
    for (const server of servers) server.close();
  });

  it("is a namespace of its own, a mount, or a root within", async () => {
    const { clone, unshare } = judgedCalls;
    const flags = [0x1000_0000, 0x2_0000, 0x4000_0000, 0x2000_0000, 0x0800_0000, 0x0400_0000, 0x0200_0000];
    const tries = flags.flatMap((flag) => [
      call(unshare[processor], flag),
      call(clone[processor], flag | 17, 0, 0, 0, 0),
    ]);
    expect(new Set((await perl(tries.join(" "))).split("\n"))).toEqual(new Set([notPermitted]));
    expect(
      await box.run("unshare -r true || mount -t tmpfs x /tmp || chroot . true || nsenter -t 1 -m true"),
    ).not.toMatchObject({ exit: 0 });
  });

  it("is any system call that the filter refuses", async () => {
    const calls = Object.values(refusedCalls).flatMap((numbers) => numbers[processor] ?? []);
    const said = (await perl(calls.map((number) => call(number, 0, 0, 0, 0, 0)).join(" "))).split("\n");
    expect(said).toEqual(calls.map(() => notPermitted));
    const { socket, clone3, personality, ioctl } = judgedCalls;
    const families = [40, 38, 17, 31, 44, 29, 9, 21].map((family) => call(socket[processor], family, 1, 0));
    const judged = [
      call(clone3[processor], 0, 0),
      call(personality[processor], 0x4_0000),
      call(ioctl[processor], 0, 0x5412, "$x = 'a'"),
    ];
    expect((await perl([...families, ...judged].join(" "))).split("\n")).toEqual([
      ...families.map(() => "97"),
      "38",
      "1",
      "1",
    ]);
  });

  it("is a device, though somebody laid one into its tree", async () => {
    expect(await box.say("mknod null c 1 3 2>&1; mknod disk b 254 0 2>&1; ls null disk 2>/dev/null")).not.toMatch(
      /^(null|disk)$/m,
    );
    expect(await box.say("find /dev -type b -o -name 'mem' -o -name 'kmsg' -o -name 'fuse' -o -name 'kvm'")).toBe("");
    expect(await box.say("(: < /dev/tty) 2>/dev/null && echo terminal")).toBe("");
  });

  it("is another account, though a program of its tree is marked to run as one", async () => {
    const said = await box.say(
      "cp /usr/bin/id . && chmod 6755 id && ./id -u; id -u; su root -c id 2>/dev/null; sudo -n id 2>/dev/null",
    );
    const [marked, plain] = said.split("\n");
    expect(marked).toBe(plain);
    expect(statSync(join(box.tree, "id")).uid).not.toBe(0);
  });

  it("is a file of the machine by a second name in its tree", async () => {
    writeFileSync(join(box.root, "given"), "given", { mode: 0o666 });
    const tries = `ln /usr/bin/true t; ln ${box.root}/given g; ln -L /proc/self/exe e`;
    await box.run(tries, { readable: [join(box.root, "given")] });
    expect(["t", "g", "e"].filter((name) => existsSync(join(box.tree, name)))).toEqual([]);
  });

  it("is the memory that other commands share", async () => {
    const make = "use IPC::SysV qw(IPC_CREAT); print shmget(4242, 64, IPC_CREAT | 0666) // 'none';";
    await box.run(["perl", "-e", `${make} sleep 1`]);
    expect(await perl("print defined(shmget(4242, 64, 0666)) ? 'shared' : 'none'")).toBe("none");
  });
});
