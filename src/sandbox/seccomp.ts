import { auditArchitecture, judgedCalls, type Processor, refusedCalls } from "./seccomp-syscalls.ts";

/**
 * The filter that every command runs under, as the classic BPF program that the kernel takes (linux/filter.h,
 * linux/seccomp.h; both processors are little-endian). It is a second wall behind namespaces and missing capabilities:
 * what it lets pass is not thereby harmless.
 */
export function seccompProgram(processor: Processor): Buffer {
  const { kill, allow, noSuchCall, pretend } = verdicts;
  const judged = (name: keyof typeof judgedCalls, body: Step[]) => onCall(judgedCalls[name][processor], body);
  const steps = [
    load(architectureAt),
    ...unlessEqual(auditArchitecture[processor], [ret(kill)]),
    load(numberAt),
    // The x32 calls of x86_64 have the numbers of the others and this bit: they would pass every comparison below.
    ...(processor === "x64" ? [jumpIfAtLeast(0x4000_0000, 0, 1), ret(kill)] : []),
    ...refuseAny(Object.values(refusedCalls).flatMap((numbers) => numbers[processor] ?? [])),
    ...judged("clone", refuseBits(argumentAt(0), namespacesOfClone)),
    ...judged("unshare", refuseBits(argumentAt(0), namespaces)),
    // Its flags lie in memory, where no filter can look; the C library falls back to clone.
    ...judged("clone3", [ret(noSuchCall)]),
    ...judged("ioctl", refuseValues(argumentAt(1), terminalInputs)),
    ...judged("personality", allowValues(argumentAt(0), personalities)),
    ...judged("socket", judgeSocket()),
    ...judged("socketpair", judgeSocket()),
    ...judged("adjtimex", [ret(refuse(notPermitted))]),
    ...judged("clock_adjtime", [ret(refuse(notPermitted))]),
    // The namespace's first process dies with its monitor, and a command can write into its memory: this stays as it is.
    ...judged("prctl", [load(argumentAt(0)), ...unlessEqual(diesWithParent, [ret(allow)]), ret(pretend)]),
    ret(allow),
  ];
  return Buffer.concat(steps.map(encode));
}

/** One instruction of classic BPF: `jt` and `jf` say how many instructions are skipped. */
interface Step {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

const notPermitted = 1;
const noSuchFamily = 97;
const refuse = (error: number) => 0x0005_0000 | error;
const verdicts = { kill: 0x8000_0000, allow: 0x7fff_0000, noSuchCall: refuse(38), pretend: refuse(0) };

/** Offsets in struct seccomp_data. The kernel itself looks at no more than the low half of the arguments judged here. */
const numberAt = 0;
const architectureAt = 4;
const argumentAt = (index: number) => 16 + 8 * index;

/** CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET; for `unshare` CLONE_NEWTIME too, whose bit is part of clone's signal. */
const namespacesOfClone = 0x7e02_0000;
const namespaces = 0x7e02_0080;
/** PR_SET_PDEATHSIG. */
const diesWithParent = 1;
/** TIOCSTI and TIOCLINUX type into a terminal. */
const terminalInputs = [0x5412, 0x541c];
/** PER_LINUX, UNAME26 (0x20000), PER_LINUX32 with and without it, and the question for the present one. */
const personalities = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];
/** AF_UNIX, AF_INET, AF_INET6; AF_NETLINK only for routes, by which programs list the interfaces. */
const families = [1, 2, 10];
const netlink = 16;

function judgeSocket(): Step[] {
  const { allow } = verdicts;
  return [
    load(argumentAt(0)),
    ...families.flatMap((family) => [jumpIfEqual(family, 0, 1), ret(allow)]),
    ...unlessEqual(netlink, [ret(refuse(noSuchFamily))]),
    load(argumentAt(2)),
    ...unlessEqual(0, [ret(refuse(noSuchFamily))]),
    ret(allow),
  ];
}

function refuseBits(at: number, bits: number): Step[] {
  const step = { code: 0x45, jt: 0, jf: 1, k: bits };
  return [load(at), step, ret(refuse(notPermitted)), ret(verdicts.allow)];
}

function refuseValues(at: number, values: readonly number[]): Step[] {
  const each = values.flatMap((value) => [jumpIfEqual(value, 0, 1), ret(refuse(notPermitted))]);
  return [load(at), ...each, ret(verdicts.allow)];
}

function allowValues(at: number, values: readonly number[]): Step[] {
  const each = values.flatMap((value) => [jumpIfEqual(value, 0, 1), ret(verdicts.allow)]);
  return [load(at), ...each, ret(refuse(notPermitted))];
}

/** A chain of comparisons with one way out: a jump reaches 255 instructions, which is more than there are calls. */
function refuseAny(numbers: readonly number[]): Step[] {
  const chain = numbers.map((number, index) => jumpIfEqual(number, numbers.length - index, 0));
  return [...chain, jump(1), ret(refuse(notPermitted))];
}

/** `body` ends in a verdict whatever it sees. */
function onCall(number: number, body: Step[]): Step[] {
  return [jumpIfEqual(number, 0, body.length), ...body];
}

function unlessEqual(value: number, body: Step[]): Step[] {
  return [jumpIfEqual(value, body.length, 0), ...body];
}

const load = (at: number): Step => ({ code: 0x20, jt: 0, jf: 0, k: at });
const ret = (verdict: number): Step => ({ code: 0x06, jt: 0, jf: 0, k: verdict });
const jump = (by: number): Step => ({ code: 0x05, jt: 0, jf: 0, k: by });
const jumpIfEqual = (k: number, jt: number, jf: number): Step => ({ code: 0x15, jt, jf, k });
const jumpIfAtLeast = (k: number, jt: number, jf: number): Step => ({ code: 0x35, jt, jf, k });

/** struct sock_filter. */
function encode({ code, jt, jf, k }: Step): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(jt, 2);
  bytes.writeUInt8(jf, 3);
  bytes.writeUInt32LE(k >>> 0, 4);
  return bytes;
}
